"""The only source of time, so that a test can set it."""

import time
from datetime import UTC, datetime


class Clock:
    """The machine's own clock; a test's clock derives from it."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""
        return time.perf_counter()


_clock = Clock()


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
