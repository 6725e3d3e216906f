"""Starts that no person asks for: one at a time, called off until they are under way."""

import asyncio

import pytest

from gameserver.process.restarts import Restarts
from gameserver.process.tasks import Tasks
from gameserver.process.world_lock import START, WorldLock

SOON = 20.0


class Starts:
    """A start that begins and ends when the test lets it, after a pause that it lets pass."""

    def __init__(self) -> None:
        self.world = WorldLock()
        self.tasks = Tasks()
        self.restarts = Restarts(self.world, self.tasks)
        self.may_begin, self.may_end = asyncio.Event(), asyncio.Event()
        self.begun = asyncio.Event()
        self.count = 0

    def plan(self) -> None:
        """Plan it."""
        self.restarts.plan(self.pause, self.start)

    async def pause(self) -> None:
        """Wait until it may begin."""
        await self.may_begin.wait()

    async def start(self) -> None:
        """Begin, and wait until it may end."""
        assert self.world.purpose == START
        self.count += 1
        self.begun.set()
        await self.may_end.wait()

    async def ended(self) -> None:
        """Wait until nothing is under way."""
        async with asyncio.timeout(SOON):
            await self.tasks.wait(SOON)


@pytest.fixture
async def starts() -> Starts:
    """Give a start."""
    return Starts()


async def test_a_start_after_its_pause(starts: Starts) -> None:
    """It has the world to itself, and is no plan any more by then."""
    starts.plan()
    planned = starts.restarts.is_planned
    starts.may_begin.set()
    await asyncio.wait_for(starts.begun.wait(), SOON)
    assert (planned, starts.restarts.is_planned) == (True, False)
    starts.may_end.set()
    await starts.ended()
    assert starts.count == 1


async def test_a_plan_replaces_the_one_before(starts: Starts) -> None:
    """However often it's planned, the game is started once."""
    for _ in range(3):
        starts.plan()
    starts.may_begin.set()
    starts.may_end.set()
    await starts.ended()
    assert starts.count == 1


async def test_a_planned_start_is_called_off(starts: Starts) -> None:
    """Also by whoever has the world just now, as a person's start has: nothing is left of it."""
    starts.plan()
    async with starts.world.hold(START):
        starts.restarts.call_off()
    await starts.ended()
    assert not starts.restarts.is_planned
    assert starts.count == 0


async def test_a_start_that_waits_for_the_world_is_called_off(starts: Starts) -> None:
    """After its pause too, as long as somebody else has the world."""
    starts.may_begin.set()
    async with starts.world.hold("a restore"):
        starts.plan()
        await asyncio.sleep(0)
        starts.restarts.call_off()
        await starts.ended()
    async with starts.world.hold("an update"):
        assert starts.count == 0


async def test_a_start_under_way_is_waited_for(starts: Starts) -> None:
    """It isn't cut off in the middle: whoever calls it off waits until it has let go."""
    starts.plan()
    starts.may_begin.set()
    await asyncio.wait_for(starts.begun.wait(), SOON)
    starts.restarts.call_off()
    await starts.restarts.settled(0)
    assert starts.world.purpose == START
    starts.may_end.set()
    await asyncio.wait_for(starts.restarts.settled(SOON), SOON)
    assert starts.world.purpose is None
