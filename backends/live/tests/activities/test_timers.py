"""Timers: the server ends them, and what comes within two seconds of the end still counts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest

Vote = Callable[["Guest", dict[str, Any]], Awaitable[int]]
LONG = 20.0


@pytest.fixture
def vote(evening: "Evening") -> Vote:
    """Give what votes as a guest, and returns the status of the answer."""

    async def vote(guest: "Guest", poll: dict[str, Any]) -> int:
        path = evening.responses(poll)
        body = {"answer": {"choices": ["a"]}}
        response = await evening.api.put(path, json=body, headers=guest.headers)
        return response.status_code

    return vote


async def until_closed(evening: "Evening", poll: dict[str, Any]) -> dict[str, Any]:
    """Return the activity once the server has closed it."""
    async with asyncio.timeout(LONG):
        while True:
            path = f"{evening.path}/activities/{poll['id']}"
            shown: dict[str, Any] = (await evening.api.get(path, headers=evening.host)).json()
            if shown["state"] == "closed":
                return shown
            await asyncio.sleep(0.02)


async def test_the_server_ends_a_timer(
    clock: SettableClock, evening: "Evening", vote: Vote
) -> None:
    """It is closed by itself; votes count for two more seconds to the instant, and not longer."""
    guests = await evening.join_many(4)
    poll = await evening.add_open("poll", seconds=10)
    assert await vote(guests[0], poll) == 200
    clock.advance(seconds=10)
    closed = await until_closed(evening, poll)
    assert (closed["closed_by"], closed["closes_at"]) == ("timer", poll["closes_at"])
    assert await vote(guests[1], poll) == 200
    clock.advance(seconds=2)
    assert await vote(guests[2], poll) == 200
    clock.advance(seconds=0.001)
    assert await vote(guests[3], poll) == 409
    assert (await evening.results(poll))["stored"] == 3


async def test_a_late_process_gives_no_more_time(
    clock: SettableClock, evening: "Evening", vote: Vote
) -> None:
    """A vote after the grace is refused also while nobody has closed the activity yet."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", seconds=10)
    clock.advance(seconds=12.001)
    assert await vote(ann, poll) == 409


async def test_nothing_counts_after_a_hosts_close(
    clock: SettableClock, evening: "Evening", vote: Vote
) -> None:
    """A host's close ends it at once, with time left and within what a timer's end would leave."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", seconds=10)
    clock.advance(seconds=9)
    await evening.close(poll)
    assert await vote(ann, poll) == 409
    clock.advance(seconds=1.5)
    assert await vote(ann, poll) == 409


@pytest.mark.parametrize("end", ["reveal", "reset"])
async def test_a_reveal_ends_the_grace(
    clock: SettableClock, evening: "Evening", vote: Vote, end: str
) -> None:
    """Once it is revealed or reset, no vote counts that would have been in time."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", seconds=10)
    clock.advance(seconds=10)
    await until_closed(evening, poll)
    await evening.do(f"activities/{poll['id']}/{end}")
    assert await vote(ann, poll) == 409


async def test_the_sessions_end_ends_the_grace(
    clock: SettableClock, evening: "Evening", vote: Vote
) -> None:
    """A completed session takes no vote, also not one that came in time."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", seconds=10)
    clock.advance(seconds=10)
    await until_closed(evening, poll)
    await evening.complete()
    assert await vote(ann, poll) == 410


async def test_some_have_more_time(clock: SettableClock, evening: "Evening", vote: Vote) -> None:
    """Who has a time factor of 1.5 has half as long again, from the opening on, and the grace."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    path = f"{evening.path}/participants/{ann.id}"
    changed = await evening.api.patch(path, json={"time_factor": 1.5}, headers=evening.host)
    assert changed.status_code == 200, changed.text
    poll = await evening.add_open("poll", seconds=10)
    clock.advance(seconds=16.9)
    assert (await vote(ann, poll), await vote(bob, poll)) == (200, 409)
    clock.advance(seconds=0.2)
    assert await vote(ann, poll) == 409


async def test_an_opening_has_its_own_time(clock: SettableClock, evening: "Evening") -> None:
    """What the call says goes before what the activity says; without both there is no end."""
    first = await evening.add_open("poll", seconds=10)
    assert first["closes_at"] == "2026-01-01T12:00:10Z"
    await evening.do(f"activities/{first['id']}/reset")
    assert (await evening.open_(first, seconds=30))["closes_at"] == "2026-01-01T12:00:30Z"
    await evening.close(first)
    endless = await evening.add_open("poll")
    assert endless["closes_at"] is None
    clock.advance(days=0.9)
    await asyncio.sleep(0.6)
    path = f"{evening.path}/activities/{endless['id']}"
    assert (await evening.api.get(path, headers=evening.host)).json()["state"] == "open"


async def test_the_next_one_opens_when_time_is_over(
    clock: SettableClock, evening: "Evening", problem_of: "ProblemOf"
) -> None:
    """From the timer's end on another activity can be opened, without waiting for who closes it."""
    first, second = await evening.add_open("poll", seconds=10), await evening.add("poll")
    path = f"{evening.path}/activities/{second['id']}/open"
    refused = await evening.api.post(path, headers=evening.host)
    assert problem_of(refused, 409)["code"] == "another_activity_open"
    clock.advance(seconds=10)
    await evening.open_(second)
    closed = await until_closed(evening, first)
    assert closed["closed_by"] == "timer"
