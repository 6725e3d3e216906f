"""Waiting for a moment of the day."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bedplate import clock as time
from bedplate.jobs import alarm as alarms
from bedplate.jobs.alarm import Alarm
from bedplate.testing.clock import SettableClock


async def test_rings_at_its_moment() -> None:
    """It returns at the moment, by the machine's own clock."""
    moment = datetime.now(UTC) + timedelta(seconds=0.05)
    async with asyncio.timeout(10):
        await Alarm().wait_until(moment)
    assert time.now() >= moment - timedelta(milliseconds=5)


async def test_past() -> None:
    """A moment that is past is no wait."""
    async with asyncio.timeout(10):
        await Alarm().wait_until(datetime(2000, 1, 1, tzinfo=UTC))


async def test_woken(clock: SettableClock) -> None:
    """It is woken before its moment, and also when that was just before the wait."""
    alarm = Alarm()
    alarm.wake()
    async with asyncio.timeout(10):
        await alarm.wait_until(None)
        waiting = asyncio.create_task(alarm.wait_until(clock.now() + timedelta(days=1)))
        await asyncio.sleep(0)
        alarm.wake()
        await waiting


async def test_clock_that_is_set(clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is read again and again, so that a jump is noticed without notice."""
    monkeypatch.setattr(alarms, "MAX_SLEEP_SECONDS", 0.01)
    alarm, moment = Alarm(), clock.now() + timedelta(days=1)
    async with asyncio.timeout(10):
        await alarm.wait_until(moment)
        clock.set(moment)
        await alarm.wait_until(moment)
