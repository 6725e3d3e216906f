"""When the followers of a channel are woken."""

import asyncio
from collections.abc import Collection

import pytest

from bedplate.realtime.fanout import Fanout, pace


class Woken:
    """A follower that counts."""

    def __init__(self) -> None:
        self.times = 0

    def wake(self) -> None:
        """Count."""
        self.times += 1


class Releases:
    """What a fan-out released, and for whom."""

    def __init__(self, followers: int = 1) -> None:
        self.all: list[tuple[bool, set[bool]]] = []
        self.followers = [Woken() for _ in range(followers)]

    def __call__(self, events: bool, kinds: Collection[bool]) -> list[Woken]:
        """Note it."""
        self.all.append((events, set(kinds)))
        return self.followers


@pytest.mark.parametrize(
    ("followers", "seconds"),
    [(1, 0.25), (1_000, 0.25), (1_001, 0.5), (3_000, 0.5), (3_001, 1.0), (100_000, 1.0)],
)
def test_the_pace_depends_on_the_followers(followers: int, seconds: float) -> None:
    """Four values a second go to a thousand followers, two to three thousand, one beyond."""
    assert pace(followers) == seconds


async def settle() -> None:
    """Let everything run that is due soon."""
    await asyncio.sleep(0.1)


async def test_values_keep_their_pace_and_events_do_not_wait_for_it() -> None:
    """The first value goes at once, the next wait; a durable event takes none of them along."""
    releases = Releases()
    fanout = Fanout(releases, lambda fast: 600)
    fanout.values_came()
    await settle()
    assert releases.all == [(False, {True, False})]
    fanout.values_came()
    await settle()
    assert len(releases.all) == 1
    fanout.events_came()
    await settle()
    assert releases.all[1:] == [(True, set())]
    fanout.stop()


async def test_fast_audiences_have_a_pace_of_their_own() -> None:
    """Values go on to the fast audiences while the others wait for theirs."""
    releases = Releases()
    fanout = Fanout(releases, lambda fast: 0.001 if fast else 600)
    for _ in range(3):
        fanout.values_came()
        await settle()
    assert releases.all == [(False, {True, False}), (False, {True}), (False, {True})]
    fanout.stop()


async def test_a_value_that_waits_goes_out_when_its_time_comes() -> None:
    """Nothing that came while followers rested is forgotten."""
    releases = Releases()
    fanout = Fanout(releases, lambda fast: 0.05)
    fanout.values_came()
    await asyncio.sleep(0.01)
    fanout.values_came()
    async with asyncio.timeout(20):
        while len(releases.all) < 2:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.01)
    await settle()
    assert len(releases.all) <= 3
    fanout.stop()


async def test_many_followers_are_woken_in_slices() -> None:
    """Between a thousand followers others have their turns; each follower is woken once."""
    releases = Releases(1_000)
    fanout = Fanout(releases, lambda fast: 600)
    turns, running = 0, True

    async def take_turns() -> None:
        nonlocal turns
        while running:
            woken = sum(follower.times for follower in releases.followers)
            turns += 0 < woken < 1_000
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    fanout.events_came()
    await settle()
    running = False
    await others
    assert {follower.times for follower in releases.followers} == {1}
    assert turns >= 3


async def test_it_rests_longer_than_it_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending to followers takes at most 40 % of the time, however much is published."""
    seconds = iter(range(0, 100_000, 400))
    monkeypatch.setattr("bedplate.clock.monotonic", lambda: next(seconds))
    releases = Releases()
    fanout = Fanout(releases, lambda fast: 0.001)
    loop = asyncio.get_running_loop()
    fanout.events_came()
    await settle()
    fanout.events_came()
    assert fanout._next_at - loop.time() > 400 * 1.5 - 10
    fanout.stop()


async def test_a_stopped_fanout_does_nothing_and_can_go_on() -> None:
    """What was planned is forgotten; what comes later is planned anew."""
    releases = Releases()
    fanout = Fanout(releases, lambda fast: 600)
    fanout.events_came()
    fanout.stop()
    await settle()
    assert releases.all == []
    fanout.events_came()
    await settle()
    assert releases.all == [(True, set())]
