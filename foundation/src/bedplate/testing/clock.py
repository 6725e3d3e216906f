"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from bedplate import clock

_START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class SettableClock:
    """A `bedplate.clock.Clock` that stands still: `with SettableClock() as clock:`.

    Within the context it is the one that tells the time everywhere in the process.
    """

    def __init__(self, start: datetime = _START) -> None:
        """Begin at `start`, which must be timezone-aware (ValueError otherwise)."""
        self._now = _in_utc(start)
        self._monotonic = 0.0
        self._previous: clock.Clock | None = None

    def now(self) -> datetime:
        """Return the time it is set to, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was advanced by, in all."""
        return self._monotonic

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Let time pass, for `now` and for `monotonic`, and return the new time.

        Raises ValueError when it would go backwards: use `set` for that.
        """
        passed = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if passed < timedelta(0):
            raise ValueError("time only passes forwards")
        self._now += passed
        self._monotonic += passed.total_seconds()
        return self._now

    def set(self, moment: datetime) -> None:
        """Set the time of day, also backwards, as an operator or NTP may.

        `monotonic` stays as it is. `moment` must be timezone-aware (ValueError otherwise).
        """
        self._now = _in_utc(moment)

    def __enter__(self) -> Self:
        """Make this the clock that tells the time."""
        self._previous = clock.use(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the previous clock tell the time again."""
        if self._previous is not None:
            clock.use(self._previous)
            self._previous = None


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone")
    return moment.astimezone(UTC)
