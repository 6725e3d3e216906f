"""The clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bedplate import clock as time
from bedplate.testing.clock import SettableClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_it_tells_the_time_only_within_its_context() -> None:
    """Before and after, the clock is the one there was."""
    with SettableClock(NOON):
        with SettableClock(NOON + timedelta(days=1)):
            assert time.now() == NOON + timedelta(days=1)
        assert time.now() == NOON
    assert time.now() != NOON


def test_both_times_stand_still_and_advance_together() -> None:
    """A time limit and a date in the same test agree."""
    with SettableClock(NOON) as clock:
        start = time.monotonic()
        assert time.monotonic() == start
        clock.advance(minutes=1, seconds=0.5)
        assert time.monotonic() - start == 60.5
        assert time.now() - NOON == timedelta(seconds=60.5)


def test_setting_it_back_leaves_monotonic_time() -> None:
    """As when NTP corrects the machine's clock."""
    with SettableClock(NOON) as clock:
        clock.advance(seconds=5)
        clock.set(NOON - timedelta(days=1))
        assert (time.now(), time.monotonic()) == (NOON - timedelta(days=1), 5)


def test_other_time_zones_become_utc() -> None:
    """bedplate.clock promises UTC."""
    clock = SettableClock(datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    """Naive times are bugs, also in tests."""
    with pytest.raises(ValueError, match="time zone"):
        SettableClock(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def test_it_does_not_advance_backwards() -> None:
    """Monotonic time never goes backwards."""
    with pytest.raises(ValueError, match="forwards"):
        SettableClock(NOON).advance(seconds=-1)
