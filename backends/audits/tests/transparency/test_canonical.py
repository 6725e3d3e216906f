from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audits.transparency.canonical import MAX_EXACT_INTEGER, NotCanonical, canonical

INTEGERS = st.integers(-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_the_fast_way_writes_what_rfc_8785_says(value: Any) -> None:
    """Whichever library writes a value, its bytes are those of the RFC's own implementation."""
    assert canonical(value) == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf_16() -> None:
    """A key beyond U+FFFF comes before one at U+E000, as the RFC's order of code units says."""
    assert canonical({"\ue000": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ue000":1}'.encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [(1.0, b"1"), (1e2, b"100"), (-0.0, b"0"), (1e21, b"1e+21"), (1.10, b"1.1"), (1e-7, b"1e-7")],
)
def test_numbers_are_written_as_ecmascript_does(value: float, written: bytes) -> None:
    """Numbers that a database rewrites keep one canonical form."""
    assert canonical(value) == written


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), float("nan"), float("inf"), "\ud800", {"\udfff": 1}, {1: 2}, object()],
)
def test_what_json_cannot_carry_is_refused(value: Any) -> None:
    """Integers that readers round, NaN and lone surrogates have no canonical form."""
    with pytest.raises(NotCanonical):
        canonical({"a": [value]})


def test_a_very_deep_value_is_refused() -> None:
    """Nesting that exhausts the stack is an error like any other."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical(value)
