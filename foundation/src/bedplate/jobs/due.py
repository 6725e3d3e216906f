"""What becomes of a moment that a schedule names: it runs, or it is skipped and says why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bedplate.jobs.schedule import MissedRuns, Schedule, Trigger

ON_TIME = timedelta(minutes=1)
"""A run that comes at most this late is not called missed."""

REPEATED_TIME = timedelta(hours=3)
"""When the clock is set back by less, no moment comes twice; by more, it counts from there."""

BUSY = "The run before it was still under way."
MISSED = "It was missed: nothing was there to run it."
TOO_LATE = "It was missed, and would have come too late."


@dataclass(frozen=True)
class Due:
    """A moment whose time has come: why it runs, or (`skipped`) why it doesn't."""

    at: datetime
    trigger: Trigger = Trigger.SCHEDULE
    skipped: str | None = None


def decide(schedule: Schedule[Any], now: datetime, *, busy: bool) -> Due:
    """Return what becomes of the last moment up to `now`; those before it are passed over.

    `busy` says that a run of this schedule is under way.
    """
    at = schedule.latest_until(now) or now
    late = now - at
    if busy:
        return Due(at, skipped=BUSY)
    if late <= ON_TIME:
        return Due(at)
    if schedule.missed is MissedRuns.SKIP:
        return Due(at, skipped=MISSED)
    if late > timedelta(minutes=schedule.missed_within_minutes):
        return Due(at, skipped=TOO_LATE)
    return Due(at, Trigger.MISSED)


def clock_was_set_back(schedule: Schedule[Any], now: datetime) -> bool:
    """Return whether `now` is so far before what was dealt with that it counts from `now`."""
    return schedule.counted_until - now > REPEATED_TIME
