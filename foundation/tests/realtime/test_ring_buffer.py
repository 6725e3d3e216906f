"""The last items of an endless row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.realtime import Numbered, RingBuffer


@given(
    items=st.lists(st.integers(0, 50)),
    capacity=st.integers(1, 8),
    max_weight=st.integers(1, 120),
    after=st.integers(-2, 30),
    limit=st.none() | st.integers(0, 10),
    until=st.none() | st.integers(-1, 30),
)
def test_it_holds_what_the_end_of_a_list_holds(
    items: list[int],
    capacity: int,
    max_weight: int,
    after: int,
    limit: int | None,
    until: int | None,
) -> None:
    """Numbers, bounds and slices are those of a list that is cut at its beginning."""
    ring = RingBuffer(capacity, weigh=lambda item: item, max_weight=max_weight)
    held: list[Numbered[int]] = []
    for number, item in enumerate(items, 1):
        assert ring.append(item) == number
        held = [*held, Numbered(number, item)][-capacity:]
        while sum(entry.item for entry in held) > max_weight and len(held) > 1:
            del held[0]
    last = len(items) if until is None else until
    expected = [entry for entry in held if after < entry.number <= last][:limit]
    assert ring.since(after, limit, until=until) == expected
    assert (ring.last, len(ring), ring.first) == (len(items), len(held), ring.last - len(held) + 1)
    assert ring.weight == sum(entry.item for entry in held)


@pytest.mark.parametrize(("capacity", "max_weight"), [(0, 1), (1, 0), (-1, 1)])
def test_bounds_are_positive(capacity: int, max_weight: int) -> None:
    """A ring that can hold nothing is refused."""
    with pytest.raises(ValueError, match="at least 1"):
        RingBuffer[int](capacity, max_weight=max_weight)
