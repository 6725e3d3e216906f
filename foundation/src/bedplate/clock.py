"""The only source of time, so that a test can set it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time: the system's clock, or a test's."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""
        return time.perf_counter()


_clock: Clock = SystemClock()


def now() -> datetime:
    """Return the current time, timezone-aware, in UTC."""
    return _clock.now()


def monotonic() -> float:
    """Return seconds from an arbitrary start that never go backwards."""
    return _clock.monotonic()


def use(clock: Clock) -> Clock:
    """Make `clock` the source of time, and return the previous one."""
    global _clock
    previous, _clock = _clock, clock
    return previous
