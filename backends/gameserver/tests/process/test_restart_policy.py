"""What follows a crash: when the game starts again, and how a planned start is cancelled."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bedplate.jobs.background import Jobs
from gameserver.process.restart_policy import CrashCounter, PlannedStart
from gameserver.process.world_lock import START, WorldLock
from gameserver.settings import GameServerSettings

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

SOON = 20.0


class Starts:
    """A start whose pause, beginning and end are in the test's hands."""

    def __init__(self) -> None:
        self.world = WorldLock()
        self.jobs = Jobs(stop_seconds=2 * SOON)
        self.planned = PlannedStart(self.world, self.jobs)
        self.may_begin, self.may_end = asyncio.Event(), asyncio.Event()
        self.begun = asyncio.Event()
        self.count = 0

    def plan(self) -> None:
        """Plan it."""
        self.planned.plan(self.pause, self.start)

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
        """Wait until nothing is in progress."""
        async with asyncio.timeout(SOON):
            await self.jobs.stop()

    @property
    def is_planned(self) -> bool:
        """Whether a start is planned."""
        return self.planned._planned is not None


@pytest.fixture
async def starts() -> Starts:
    """Give a start."""
    return Starts()


async def test_a_start_after_its_pause(starts: Starts) -> None:
    """It holds the world, and is no longer planned by then."""
    starts.plan()
    planned = starts.is_planned
    starts.may_begin.set()
    await asyncio.wait_for(starts.begun.wait(), SOON)
    assert (planned, starts.is_planned) == (True, False)
    starts.may_end.set()
    await starts.ended()
    assert starts.count == 1


async def test_a_plan_replaces_the_one_before(starts: Starts) -> None:
    """However often a start is planned, the game starts once."""
    for _ in range(3):
        starts.plan()
    starts.may_begin.set()
    starts.may_end.set()
    await starts.ended()
    assert starts.count == 1


async def test_a_planned_start_is_cancelled(starts: Starts) -> None:
    """Also by the holder of the world, such as a person's start: nothing is left of the plan."""
    starts.plan()
    async with starts.world.hold(START):
        starts.planned.cancel()
    await starts.ended()
    assert not starts.is_planned
    assert starts.count == 0


async def test_a_start_that_waits_for_the_world_is_cancelled(starts: Starts) -> None:
    """After its pause, too, as long as somebody else holds the world."""
    starts.may_begin.set()
    async with starts.world.hold("a restore"):
        starts.plan()
        await asyncio.sleep(0)
        starts.planned.cancel()
        await starts.ended()
    async with starts.world.hold("an update"):
        assert starts.count == 0


async def test_a_start_in_progress_is_waited_for(starts: Starts) -> None:
    """It isn't cut off in the middle: whoever cancels it waits until it has released the world."""
    starts.plan()
    starts.may_begin.set()
    await asyncio.wait_for(starts.begun.wait(), SOON)
    starts.planned.cancel()
    await starts.planned.wait(0)
    assert starts.world.purpose == START
    starts.may_end.set()
    await asyncio.wait_for(starts.planned.wait(SOON), SOON)
    assert starts.world.purpose is None


def make_settings(crash_limit: int) -> GameServerSettings:
    """Return the default settings but for the limit."""
    return GameServerSettings.load(_env_file=None, crash_limit=crash_limit)


def pauses(counter: CrashCounter, *minutes: float) -> list[float | None]:
    """Return the pauses after crashes at these minutes after noon."""
    return [counter.count(NOON + timedelta(minutes=minute)) for minute in minutes]


def test_three_in_an_hour_are_too_many() -> None:
    """By default the pause doubles, and the third crash within an hour is the last."""
    counter = CrashCounter(make_settings(3))
    assert pauses(counter, 0, 20, 59) == [5, 10, None]


def test_crashes_of_long_ago_dont_count() -> None:
    """A game that crashes now and then is started again each time."""
    counter = CrashCounter(make_settings(3))
    assert pauses(counter, 0, 50, 100, 150, 300) == [5, 10, 10, 10, 5]


def test_the_pause_is_bounded() -> None:
    """Where more crashes are allowed, the pause grows up to its bound."""
    counter = CrashCounter(make_settings(8))
    assert pauses(counter, 0, 1, 2, 3, 4, 5, 6, 7) == [5, 10, 20, 40, 80, 80, 80, None]


def test_a_person_begins_afresh() -> None:
    """After a start by hand, earlier crashes don't count."""
    counter = CrashCounter(make_settings(2))
    assert pauses(counter, 0, 1) == [5, None]
    counter.reset()
    assert pauses(counter, 2) == [5]
