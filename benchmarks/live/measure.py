"""Run the waves against one worker and two, each on a new database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import uvloop

from benchmarks.live import waves
from benchmarks.live.hall import Hall, running_hall
from benchmarks.live.phones import allow_many_files
from benchmarks.live.waves import Figures

Say = Callable[[str], None]
Wave = Callable[[Hall], Awaitable[Figures]]


@dataclass(frozen=True)
class Size:
    """How many people the waves have, and how long the steady ones last."""

    crowd: int = 500
    votes: int = 600
    many: int = 5_000
    followers: int = 1_000
    idle: int = 10_000
    seconds: float = 5.0


QUICK = Size(crowd=50, votes=60, many=200, followers=100, idle=200, seconds=1.0)
FULL = Size()


def all_waves(size: Size) -> Mapping[str, Wave]:
    """Return the waves by what they are called."""
    joiners = size.crowd + size.crowd // 5
    return {
        f"{joiners} join at once, {size.crowd} places": lambda hall: waves.joins(
            hall, size.crowd, joiners
        ),
        f"{size.crowd} votes at once": lambda hall: waves.votes(hall, size.crowd),
        f"{size.votes} votes at once": lambda hall: waves.votes(hall, size.votes),
        f"{size.votes} votes in the grace": lambda hall: waves.votes(hall, size.votes, "grace"),
        f"{size.votes} votes too late": lambda hall: waves.votes(hall, size.votes, "late"),
        f"{size.many:,} votes at once": lambda hall: waves.votes(hall, size.many),
        f"{size.crowd} reads of 200 answers": lambda hall: waves.reads(
            hall, 200, size.crowd, size.seconds
        ),
        f"{size.crowd} reads of {size.many:,} answers": lambda hall: waves.reads(
            hall, size.many, size.crowd, size.seconds
        ),
        "state, nothing new": lambda hall: waves.polls(hall, size.seconds),
        f"a change to {size.followers:,} followers": lambda hall: waves.changes(
            hall, size.followers
        ),
        f"{size.crowd} come back at once": lambda hall: waves.reconnects(hall, size.crowd),
        f"{size.followers:,} come back at once": lambda hall: waves.reconnects(
            hall, size.followers
        ),
        f"votes before {size.followers:,} followers": lambda hall: waves.fan_out(
            hall, size.followers, 50, size.seconds
        ),
        f"votes before {size.many:,} followers": lambda hall: waves.fan_out(
            hall, size.many, 50, size.seconds
        ),
        f"{size.idle:,} connections": lambda hall: waves.idle(hall, size.idle),
    }


def measure(size: Size, workers: int, say: Say) -> dict[str, Figures]:
    """Return the figures of each wave."""
    allow_many_files()
    found: dict[str, Figures] = {}
    for name, wave in all_waves(size).items():
        say(f"live, {workers} worker{'s' * (workers > 1)}: {name}")
        with (
            running_hall(workers) as hall,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            found[name] = runner.run(_awaited(wave(hall)))
        say(str({key: round(value, 1) for key, value in found[name].items()}))
    return found


def soak(minutes: float, people: int, say: Say) -> Figures:
    """Return what a long evening showed."""
    allow_many_files()
    with running_hall(1) as hall, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_awaited(waves.soak(hall, minutes, people, say)))


async def _awaited(wave: Awaitable[Figures]) -> Figures:
    return await wave
