"""A clock that stands still until a test advances it."""

from datetime import UTC, datetime, timedelta
from typing import Self

from bedplate import clock

_START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class SettableClock(clock.Clock):
    """Stands still, and is the process's clock within its context; `start` needs a time zone."""

    def __init__(self, start: datetime = _START) -> None:
        self._now = _in_utc(start)
        self._monotonic = 0.0
        self._previous: clock.Clock | None = None

    def now(self) -> datetime:
        """Return the time that is set, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return the sum of all advances in seconds."""
        return self._monotonic

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Advance `now` and `monotonic`; return the new time. Raises ValueError if negative."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < timedelta(0):
            raise ValueError("time only passes forwards")
        self._now += step
        self._monotonic += step.total_seconds()
        return self._now

    def set(self, moment: datetime) -> None:
        """Set the time, also backwards; `monotonic` stays. Raises ValueError without a zone."""
        self._now = _in_utc(moment)

    def __enter__(self) -> Self:
        self._previous = clock.use(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            clock.use(self._previous)
            self._previous = None


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    return moment.astimezone(UTC)
