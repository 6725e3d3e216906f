"""Ids and secrets come from one place."""

from datetime import UTC, datetime, timedelta
from random import Random

from bedplate import ids


def test_a_test_can_set_the_source_of_randomness() -> None:
    """Then every id and token is the same in each run, until the previous source is put back."""

    def draw() -> tuple[str, str, str]:
        return ids.request_id(), str(ids.uuid()), ids.token()

    seeded = Random(1).randbytes
    previous = ids.use(seeded)
    try:
        first = draw()
        ids.use(Random(1).randbytes)
        assert draw() == first
    finally:
        ids.use(previous)
    assert ids.use(previous) is previous is not seeded


def test_ids_of_version_7_sort_by_their_time() -> None:
    """Later ids are greater, their time is in them, and no two of one instant are equal."""
    start = datetime(2026, 11, 29, 6, 0, tzinfo=UTC)
    times = [start + timedelta(microseconds=number) for number in (0, 1, 999, 1000, 10**6, 10**12)]
    made = [ids.uuid7(time) for time in times]
    assert made == sorted(made)
    assert {number.version for number in made} == {7}
    assert made[0].int >> 80 == int(start.timestamp() * 1000)
    assert len({ids.uuid7(start) for _ in range(100)}) == 100
