"""How long to wait before the next try."""

from datetime import UTC, datetime

import pytest

from gameserver.notifications.delivery import Patience, retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("7", 7), ("999999999999999999", 600), ("-1", 0), ("1.5", 0), ("x", 0), ("²", 0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30), ("Wed, 31 Dec 2025 00:00:00 GMT", 0), ("", 0),
    ],
)  # fmt: skip
def test_retry_after(header: str | None, seconds: float) -> None:
    """Seconds and dates are understood, and bounded; anything else is nothing."""
    assert retry_after(header, NOW) == seconds


def test_pauses_double() -> None:
    """Each pause is twice the last, up to a bound."""
    patience = Patience(first=1, max_seconds=5)
    assert [patience.pause(n) for n in (1, 2, 3, 4, 1000)] == [1, 2, 4, 5, 5]
