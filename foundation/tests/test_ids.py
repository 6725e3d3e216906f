"""Ids and secrets come from one place."""

from random import Random

from bedplate import ids


def test_a_test_can_set_the_source_of_randomness() -> None:
    """Then every id and token is the same in each run."""

    def draw() -> tuple[str, str, str]:
        return ids.request_id(), str(ids.uuid()), ids.token()

    previous = ids.use(Random(1).randbytes)
    try:
        first = draw()
        ids.use(Random(1).randbytes)
        assert draw() == first
    finally:
        ids.use(previous)
    assert draw() != draw()
