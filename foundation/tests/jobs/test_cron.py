"""Cron expressions in time zones, also where a zone's clocks are put forward or back."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.jobs.cron import Cron, CronError, zone_named

BERLIN = "Europe/Berlin"
FORWARD = datetime(2026, 3, 29, 1, tzinfo=UTC)  # 02:00 becomes 03:00 in Berlin
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC)  # 03:00 becomes 02:00 in Berlin


def moments(cron: Cron, after: datetime, until: datetime) -> list[str]:
    """Return when it comes between two moments, in UTC."""
    found = []
    moment = cron.next_after(after)
    while moment is not None and moment <= until:
        found.append(f"{moment:%d %H:%M}")
        moment = cron.next_after(moment)
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 4 * * *", "2026-01-02 04:00"),
        ("*/15 * * * *", "2026-01-01 12:15"),
        ("30 6 L * *", "2026-01-31 06:30"),
        ("0 0 * * MON#2", "2026-01-12 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 12 1 1 *", "2027-01-01 12:00"),
    ],
)
def test_next(expression: str, expected: str) -> None:
    """The next moment is later than the one it is asked for, seconds and all."""
    found = Cron(expression).next_after(datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC))
    assert f"{found:%Y-%m-%d %H:%M}" == expected


def test_zone() -> None:
    """Four in the morning is that of the zone, in winter and in summer."""
    cron = Cron("0 4 * * *", BERLIN)
    assert cron.next_after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert cron.next_after(datetime(2026, 7, 1, tzinfo=UTC)) == datetime(2026, 7, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["28 01:30", "29 01:00", "30 00:30"]),
        ("0 2,3 * * *", ["28 01:00", "28 02:00", "29 01:00", "30 00:00", "30 01:00"]),
    ],
)
def test_gap(expression: str, expected: list[str]) -> None:
    """What falls into the hour that is left out comes at its end, and only once."""
    cron = Cron(expression, BERLIN)
    after = FORWARD - timedelta(hours=24, minutes=30)
    assert moments(cron, after, FORWARD + timedelta(hours=24)) == expected


def test_overlap() -> None:
    """What falls into the hour that comes twice comes in the first one only."""
    cron = Cron("30 2 * * *", BERLIN)
    assert moments(cron, BACK - timedelta(hours=20), BACK + timedelta(hours=26)) == [
        "25 00:30",
        "26 01:30",
    ]
    second_pass = BACK + timedelta(minutes=10)
    assert cron.next_after(second_pass) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert cron.latest_until(second_pass) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_elapsed_time() -> None:
    """What comes every half hour knows of no gap and no overlap."""
    cron = Cron("*/30 * * * *", BERLIN)
    for change in (FORWARD, BACK):
        found = moments(cron, change - timedelta(hours=2), change + timedelta(hours=2))
        assert len(found) == len(set(found)) == 8


@given(
    st.sampled_from(
        ["30 2 * * *", "0 2,3 * * *", "*/20 * * * *", "59 1-3 * * *", "15 */2 * * *", "0 0 29 2 *"]
    ),
    st.sampled_from([BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe"]),
    st.sampled_from([FORWARD, BACK, datetime(2026, 10, 3, 15, 30, tzinfo=UTC)]),
    st.integers(-12 * 3600, 12 * 3600),
)
def test_latest(expression: str, zone: str, near: datetime, seconds: int) -> None:
    """The latest moment is one that also comes forwards, and none comes between it and now."""
    cron = Cron(expression, zone)
    moment = near + timedelta(seconds=seconds)
    latest = cron.latest_until(moment)
    assert latest is not None
    assert latest <= moment
    assert cron.next_after(latest - timedelta(seconds=1)) == latest
    following = cron.next_after(latest)
    assert following is not None
    assert following > moment


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "must have five fields"),
        ("* * * *", "must have five fields"),
        ("0 0 4 * * *", "must have five fields"),
        ("60 * * * *", "a bad minute field"),
        ("* 24 * * *", "a bad hour field"),
        ("* * 0 * *", "a bad day-of-month field"),
        ("0 0 31 4 *", "a bad day-of-month field"),
        ("* * * 13 *", "a bad month field"),
        ("* * * * 1#6", "a bad day-of-week field"),
        ("*/0 * * * *", "a bad minute field"),
        ("5-1 * * * *", "a bad minute field"),
        ("0 0 */31 2 1#5", "a day that never comes"),
        ("1," * 200 + "1 * * * *", "longer than 200 characters"),
        ("\ud800 * * * *", "a bad minute field"),
    ],
)
def test_bad_expression(expression: str, sentence: str) -> None:
    """Each bad expression is refused in one sentence that says which field it is."""
    with pytest.raises(CronError, match=sentence):
        Cron(expression)


@given(st.text(alphabet="0123456789*/,-#L W", max_size=40))
def test_any_text(expression: str) -> None:
    """Whatever is written is an expression or a `CronError`, nothing else."""
    with contextlib.suppress(CronError):
        assert Cron(expression).expression == expression


@pytest.mark.parametrize(
    "name", ["", "Nowhere", "Europe", "../etc/passwd", "/etc/passwd", "A\0B", "\ud800", "x" * 65]
)
def test_bad_zone(name: str) -> None:
    """What is no IANA zone is refused, whatever file it may name."""
    with pytest.raises(CronError, match="time zone"):
        zone_named(name)
    with pytest.raises(CronError, match="time zone"):
        Cron("0 4 * * *", name)
