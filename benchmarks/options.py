"""How much a run measures, and what the command line says about it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from benchmarks import cases, contender
from benchmarks.live.measure import FULL, QUICK, Size
from benchmarks.seed import Crowd

STORY = "story"
"""The name of the part that assembles stories; it has no contenders."""

_REQUESTS = {
    cases.GET_ONE: 200,
    cases.LIST_100: 100,
    cases.LIST_1000: 20,
    cases.POST: 150,
    cases.TRIVIAL: 1000,
}


CONSOLE = "console"
BACKUP = "backup"
KILLS = "kills"
AUDITS = "audits"
LIVE = "live"
LIVE_SOAK = "live-soak"
INSTRUCTIONS = "instructions"


@dataclass(frozen=True)
class Amount:
    """How many rounds, requests, seconds of wrk (0: none), users, kills, rows, people, minutes."""

    rounds: int
    share: float
    wrk_seconds: int
    crowd: Crowd
    console_rounds: int
    console_seconds: int
    backup_megabytes: int
    kills: int
    audits_rows: tuple[int, ...]
    live: Size
    soak_minutes: float

    @classmethod
    def quick(cls) -> Self:
        """Return enough to see that all works, in about two minutes."""
        return cls(
            rounds=4,
            share=0.25,
            wrk_seconds=0,
            crowd=Crowd(100, 100),
            console_rounds=1,
            console_seconds=5,
            backup_megabytes=64,
            kills=12,
            audits_rows=(11_000,),
            live=QUICK,
            soak_minutes=0.5,
        )

    @classmethod
    def ordinary(cls) -> Self:
        """Return enough for figures that repeat within some percent."""
        return cls(
            rounds=16,
            share=1.0,
            wrk_seconds=4,
            crowd=Crowd(1_000, 100),
            console_rounds=3,
            console_seconds=20,
            backup_megabytes=1_000,
            kills=1_000,
            audits_rows=(11_000, 1_000_000),
            live=FULL,
            soak_minutes=30,
        )

    def requests(self, case: str) -> int:
        """Return how many requests of the case make one round."""
        return int(_REQUESTS[case] * self.share)


@dataclass(frozen=True)
class Options:
    """What one run does."""

    amount: Amount
    tasks: tuple[str, ...]
    trivial: tuple[str, ...]
    console: tuple[str, ...]
    backup: tuple[str, ...]
    kills: tuple[str, ...]
    audits: tuple[str, ...]
    story: tuple[str, ...]
    live: tuple[str, ...]
    live_soak: tuple[str, ...]
    instructions: tuple[str, ...]
    write: bool


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; exit with its usage when it is wrong."""
    options = _parser().parse_args(arguments)
    amount = Amount.quick() if options.quick else Amount.ordinary()
    if options.rounds:
        amount = replace(amount, rounds=options.rounds, console_rounds=options.rounds)
    if options.large:
        amount = replace(amount, crowd=Crowd(10_000, 100))
    if options.no_wrk:
        amount = replace(amount, wrk_seconds=0)
    return Options(
        amount,
        _chosen(contender.TASKS, options.only),
        _chosen(contender.TRIVIAL, options.only),
        _chosen((CONSOLE,), options.only),
        _chosen((BACKUP,), options.only),
        (KILLS,) if KILLS in options.only else (),  # half an hour, so only when asked for
        _chosen((AUDITS,), options.only),
        _chosen((STORY,), options.only),
        _chosen((LIVE,), options.only),
        (LIVE_SOAK,) if LIVE_SOAK in options.only else (),
        _counted(options.only, options.contender),
        options.write,
    )


def _chosen(names: Sequence[str], only: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not only or name in only)


def _counted(only: Sequence[str], contenders: Sequence[str]) -> tuple[str, ...]:
    """Return the contenders whose instructions are counted."""
    if only and INSTRUCTIONS not in only:
        return ()
    return _chosen((*contender.TASKS, *contender.TRIVIAL), contenders)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures ours, its peers and the floor in one run, and prints the tables.",
    )
    parts = (CONSOLE, BACKUP, KILLS, AUDITS, STORY, LIVE, LIVE_SOAK, INSTRUCTIONS)
    contenders = (*contender.TASKS, *contender.TRIVIAL)
    parser.add_argument("--quick", action="store_true", help="in less than a minute, without wrk")
    parser.add_argument("--rounds", type=int, help="how often each case is measured")
    parser.add_argument(
        "--only", action="append", default=[], choices=(*contenders, *parts), metavar="NAME"
    )
    parser.add_argument(
        "--contender",
        action="append",
        default=[],
        choices=contenders,
        metavar="NAME",
        help="count the instructions of this one only",
    )
    parser.add_argument("--large", action="store_true", help="10,000 users with 100 tasks each")
    parser.add_argument("--no-wrk", action="store_true", help="leave requests a second out")
    parser.add_argument(
        "--write",
        action="store_true",
        help="also write benchmarks/RESULTS.md; sections not measured stay",
    )
    return parser
