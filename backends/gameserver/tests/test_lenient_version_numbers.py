"""The order of mods' versions."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.version_numbers import is_at_least, is_newer, is_same, number_of, version_key

ORDERED = ["nonsense", "0.9.9", "1.0.0-dev.1", "1.0.0-dev.2", "1.0.0-pre.1", "1.0.0-rc.1",
           "1.0.0-rc.10", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"]  # fmt: skip
VERSIONS = st.from_regex(r"\A[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-(dev|pre|rc)\.[0-9]{1,3})?\Z")


def test_versions_are_ordered_as_the_game_orders_them() -> None:
    """Numbers count as numbers; dev comes before pre, before rc, before the release."""
    assert sorted(set(ORDERED), key=version_key) == ORDERED
    for older, newer in itertools.combinations(ORDERED, 2):
        assert is_newer(newer, older)
        assert not is_newer(older, newer)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_one(one: str, two: str, three: str) -> None:
    """Of any versions one is newer or they are the same, and the order is transitive."""
    assert is_newer(one, two) + is_newer(two, one) + is_same(one, two) == 1
    if is_newer(one, two) and is_newer(two, three):
        assert is_newer(one, three)


@pytest.mark.parametrize("need", ["", "*", " ", "what?"])
def test_any_version_satisfies_what_asks_for_none(need: str) -> None:
    """An empty need, `*`, and one that is no version ask for nothing."""
    assert is_at_least("0.0.1", need)
    assert is_at_least("", need)


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    """A version is read, or it is none; one that is none is older than any."""
    if number_of(text) is None:
        assert not is_at_least(text, "0.0.0-dev.1")


def test_authors_write_versions_in_many_ways() -> None:
    """A `v`, a missing number and a missing dot are borne."""
    assert is_same("v1.2", "1.2.0")
    assert is_same("1.2.0-rc3", "1.2.0-rc.3")
    assert not is_same("abc", "1.0.0")
