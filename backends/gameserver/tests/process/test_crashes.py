"""How often a crashed game is started again."""

from datetime import UTC, datetime, timedelta

from gameserver.process.crashes import CrashCounter

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def pauses(counter: CrashCounter, *minutes: float) -> list[float | None]:
    """Return the pauses after crashes so many minutes after noon."""
    return [counter.note(NOON + timedelta(minutes=one)) for one in minutes]


def test_three_in_an_hour_are_too_many() -> None:
    """By default the pause doubles, and the third crash within an hour is the last."""
    counter = CrashCounter(most=3, first=5, longest=80)
    assert pauses(counter, 0, 20, 59) == [5, 10, None]


def test_crashes_of_long_ago_dont_count() -> None:
    """A game that crashes now and then is started again each time."""
    counter = CrashCounter(most=3, first=5, longest=80)
    assert pauses(counter, 0, 50, 100, 150, 300) == [5, 10, 10, 10, 5]


def test_the_pause_has_a_longest() -> None:
    """Where more crashes are allowed, the pause grows up to its bound."""
    counter = CrashCounter(most=8, first=5, longest=80)
    assert pauses(counter, 0, 1, 2, 3, 4, 5, 6, 7) == [5, 10, 20, 40, 80, 80, 80, None]


def test_a_person_begins_afresh() -> None:
    """After a start by hand, earlier crashes don't count."""
    counter = CrashCounter(most=2, first=5, longest=80)
    assert pauses(counter, 0, 1) == [5, None]
    counter.forget()
    assert pauses(counter, 2) == [5]
