"""Ids and secrets that are the same in every run."""

import pytest

from bedplate import ids
from bedplate.testing.ids import SettableIds


def made() -> tuple[str, str, str]:
    """Return one of each kind."""
    return ids.request_id(), str(ids.uuid()), ids.token()


def test_the_same_seed_gives_the_same_ids() -> None:
    """A test may compare whole documents."""
    with SettableIds(seed=1):
        first = made()
    with SettableIds(seed=1):
        assert made() == first
    with SettableIds(seed=2):
        assert made() != first
    assert made() != made()


def test_a_collision_can_be_made() -> None:
    """Code that retries on a taken id meets one."""
    with SettableIds() as source:
        source.then(bytes(16), bytes(16))
        assert ids.request_id() == ids.request_id() == "0" * 32
        assert ids.request_id() != "0" * 32


def test_a_value_of_another_length_is_refused() -> None:
    """A test that mistakes the order of ids hears of it."""
    with SettableIds() as source:
        source.then(b"short")
        with pytest.raises(ValueError, match="16 bytes are needed, but the next value has 5"):
            ids.request_id()
