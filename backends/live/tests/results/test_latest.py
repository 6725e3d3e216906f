"""The latest results in the events: how often, in which order, and from which process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import orjson
import pytest

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.testing.clock import SettableClock
from live.events.service import Events
from live.results.latest import INTERVAL_SECONDS, LatestResults

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening
    from backends.live.tests.results.conftest import RememberingChannels


async def test_at_most_four_a_second(evening: "Evening", channels: "RememberingChannels") -> None:
    """However many answer, a quarter of a second lies between two results; the last is right."""
    poll = await evening.add_open("poll")
    guests = await evening.join_many(12)
    for guest in guests:
        await evening.answer(guest, poll, choices=["a"])
    last = await channels.until_host(stored=12)
    assert last.payloads["participant"]["result"]["counts"] == {"a": 12, "b": 0}
    times = [sent.at for sent in channels.results()]
    assert all(b - a >= INTERVAL_SECONDS for a, b in pairwise(times))


async def test_versions_never_fall(evening: "Evening", channels: "RememberingChannels") -> None:
    """Over answers, changes, states and rounds each result has a higher version than the last.

    What a client compares is the round and the version in the payload.
    """
    guest = await evening.join()
    poll = await evening.add_open("poll", policy={"results": "after_close"})

    for number in (1, 2):
        await evening.answer(guest, poll, choices=["a"])
        await channels.until_host(round=number, state="open", stored=1)
        await evening.answer(guest, poll, choices=["b"])
        await evening.close(poll)
        await channels.until_host(round=number, state="closed")
        await evening.reveal(poll)
        await channels.until_host(round=number, state="revealed")
        await evening.do(f"activities/{poll['id']}/reset")
        await channels.until_host(round=number + 1, state="draft", stored=0)
        await evening.open_(poll)
    sent = channels.results()
    versions = [each.version or 0 for each in sent]
    assert versions == sorted(set(versions))
    for audience in ("host", "participant", "screen"):
        pairs = [(t.payloads[audience]["round"], t.payloads[audience]["version"]) for t in sent]
        assert pairs == sorted(set(pairs))
        assert pairs[-1][0] == 3


async def test_http_and_events_have_the_same_version(
    evening: "Evening", channels: "RememberingChannels"
) -> None:
    """A client may compare a result that it got with one that it was sent."""
    guest = await evening.join()
    poll = await evening.add_open("poll")
    await evening.answer(guest, poll, choices=["a"])
    sent = await channels.until_host(stored=1)
    shown = await evening.results(poll)
    assert sent.payloads["host"] == shown
    response = await evening.api.get(f"{evening.path}/state", headers=guest.headers)
    assert response.json()["results_version"] == shown["version"]


async def test_a_new_round_takes_the_old_ones_place(
    evening: "Evening", channels: "RememberingChannels"
) -> None:
    """Who comes later gets the latest round alone, and nothing of an activity that was deleted."""
    guest = await evening.join()
    poll = await evening.add_open("poll")
    await evening.answer(guest, poll, choices=["a"])
    await channels.until_host(stored=1)
    await evening.do(f"activities/{poll['id']}/reset")
    await channels.until_host(round=2)
    assert [shown["round"] for shown in await latest(channels, evening.id)] == [2]
    path = f"{evening.path}/activities/{poll['id']}"
    assert (await evening.api.delete(path, headers=evening.host)).status_code == 204
    assert await latest(channels, evening.id) == []


async def latest(channels: "RememberingChannels", session_id: str) -> list[Any]:
    """Return the results that a new follower gets at once."""
    found = []
    async with channels.follow(session_id, "participant") as follower:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                async for messages in follower:
                    found += [m for m in messages.items if m.event == "results"]
    return [orjson.loads(message.data) for message in found]


async def test_kicking_with_answers_shows_the_rest(
    evening: "Evening", channels: "RememberingChannels"
) -> None:
    """When somebody's answers are removed, those who follow see the result without them."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    poll = await evening.add_open("poll")
    for guest in (ann, bob):
        await evening.answer(guest, poll, choices=["a"])
    await channels.until_host(stored=2)
    await evening.do(f"participants/{ann.id}/kick", {"remove_answers": True})
    sent = await channels.until_host(stored=1)
    assert sent.payloads["screen"]["result"]["counts"]["a"] == 1


class OtherProcess:
    """A claim that another process holds for a while."""

    def __init__(self, channels: "RememberingChannels", refusals: int) -> None:
        self.left = refusals
        channels.claim = self.claim  # type: ignore[method-assign]

    async def claim(self, channel: str, key: str, seconds: float) -> bool:
        """Refuse some times, then agree."""
        self.left -= 1
        return self.left < 0


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    """The jobs of a process."""
    async with Jobs(stop_seconds=0.1) as opened:
        yield opened


async def test_one_process_shows_the_results(
    evening: "Evening", channels: "RememberingChannels", database: Database, jobs: Jobs
) -> None:
    """While another process has the claim, this one waits; when that lets go, it shows them."""
    poll = await evening.add_open("poll")
    before = len(channels.results())
    other = OtherProcess(channels, refusals=2)
    results = LatestResults(database, Events(channels), channels, jobs)
    results.changed(UUID(poll["id"]))
    await asyncio.sleep(INTERVAL_SECONDS / 2)
    assert len(channels.results()) == before
    await channels.until_host(state="open")
    assert other.left < 0


class Outage:
    """A database that is away for some reads."""

    def __init__(self, database: Database, failures: int) -> None:
        self.database = database
        self.left = failures

    def read(self) -> Any:
        """Fail, or give what reads."""
        self.left -= 1
        if self.left >= 0:
            raise ConnectionError
        return self.database.read()


async def test_an_outage_ends(
    evening: "Evening", channels: "RememberingChannels", database: Database, jobs: Jobs
) -> None:
    """A result that couldn't be read is read again until it can be, and shown then."""
    poll = await evening.add_open("poll")
    outage = Outage(database, failures=2)
    results = LatestResults(cast("Database", outage), Events(channels), channels, jobs)
    results.changed(UUID(poll["id"]))
    await channels.until_host(state="open")
    assert outage.left < 0


async def test_the_end_closes_what_is_open(
    evening: "Evening", channels: "RememberingChannels"
) -> None:
    """When a session completes, who follows it gets the results of the activity that it closed."""
    guest = await evening.join()
    poll = await evening.add_open("poll", policy={"results": "after_close"})
    await evening.answer(guest, poll, choices=["a"])
    await evening.complete()
    sent = await channels.until_host(state="closed")
    assert sent.payloads["participant"]["result"]["counts"]["a"] == 1


@pytest.mark.parametrize("next_one", [True, False])
async def test_a_timers_end_shows_what_waited_for_it(
    clock: SettableClock, evening: "Evening", channels: "RememberingChannels", next_one: bool
) -> None:
    """Results that wait for the close are sent, also when the next activity ends the timer's."""
    policy = {"results": "after_close", "screen": "after_close"}
    poll = await evening.add_open("poll", seconds=10, policy=policy)
    following = await evening.add("poll")
    await evening.answer(await evening.join(), poll, choices=["a"])
    await channels.until_host(state="open", stored=1)
    clock.advance(seconds=10)
    if next_one:
        await evening.open_(following)
    shown = await channels.until_host(state="closed", stored=1)
    assert shown.payloads["participant"]["result"]["counts"] == {"a": 1, "b": 0}
