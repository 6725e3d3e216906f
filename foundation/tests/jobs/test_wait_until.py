"""Waiting for a moment of the day, also when the clock is set meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bedplate import clock as time
from bedplate.jobs import scheduler
from bedplate.jobs.scheduler import wait_until
from bedplate.testing.clock import SettableClock


async def test_returns_at_its_moment() -> None:
    """It returns at the moment, by the machine's own clock."""
    moment = datetime.now(UTC) + timedelta(seconds=0.05)
    async with asyncio.timeout(10):
        await wait_until(moment, asyncio.Event())
    assert time.now() >= moment - timedelta(milliseconds=5)


async def test_past() -> None:
    """A moment that is past is no wait."""
    async with asyncio.timeout(10):
        await wait_until(datetime(2000, 1, 1, tzinfo=UTC), asyncio.Event())


async def test_woken(clock: SettableClock) -> None:
    """It is woken before its moment, and also when that was just before the wait."""
    woken = asyncio.Event()
    woken.set()
    async with asyncio.timeout(10):
        await wait_until(None, woken)
        waiting = asyncio.create_task(wait_until(clock.now() + timedelta(days=1), woken))
        await asyncio.sleep(0)
        assert not waiting.done()
        woken.set()
        await waiting


async def test_clock_that_is_set(clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is read again and again, so that a jump is noticed without notice."""
    monkeypatch.setattr(scheduler, "MAX_SLEEP_SECONDS", 0.01)
    woken, moment = asyncio.Event(), clock.now() + timedelta(days=1)
    async with asyncio.timeout(10):
        await wait_until(moment, woken)
        clock.set(moment)
        await wait_until(moment, woken)
