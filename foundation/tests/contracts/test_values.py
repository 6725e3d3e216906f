"""The types accept what JSON Schema accepts, no more and no less."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import MISSING, TypeAdapter, ValidationError

from bedplate.contracts import ContractModel, Integer, ParameterInteger, ParameterInteger64
from bedplate.schemas import MAX_INT64, MIN_INT64

INTEGER: TypeAdapter[int] = TypeAdapter(Integer)
PARAMETER: TypeAdapter[int] = TypeAdapter(ParameterInteger)
PARAMETER_64: TypeAdapter[int] = TypeAdapter(ParameterInteger64)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def accepted(adapter: TypeAdapter[int], value: Any) -> bool:
    """Return whether a type takes a value."""
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


@given(JSON_VALUES)
def test_integers_are_those_of_json_schema(value: Any) -> None:
    """A value is taken for an integer exactly when JSON Schema 2020-12 calls it one."""
    finite = not (isinstance(value, float) and math.isinf(value))
    expected = finite and Draft202012Validator({"type": "integer"}).is_valid(value)
    assert accepted(INTEGER, value) is expected


@pytest.mark.parametrize("value", [True, "1", None, 1.5, float("nan"), [], {}])
def test_what_looks_like_an_integer_is_refused(value: Any) -> None:
    """True, "1", null, fractions and containers are no integers."""
    assert not accepted(INTEGER, value)


@given(st.text(max_size=12) | st.from_regex(r"[-+]?[0-9_ .]{1,6}", fullmatch=True))
def test_parameters_are_spelt_as_json_spells_numbers(text: str) -> None:
    """A parameter is taken exactly when it is a JSON number without a fraction."""
    try:
        number = json.loads(text)
    except ValueError:
        number = None
    plain = not set(text) & set("eE \t\r\n")
    expected = plain and type(number) in (int, float) and float(number).is_integer()
    assert accepted(PARAMETER, text) is expected


@pytest.mark.parametrize("text", ["1e400", "9" * 5000, "٣", "+1", "1_0", "0x1", "01", ""])
def test_odd_spellings_are_refused(text: str) -> None:
    """Exponents, thousands of digits, other scripts and Python's own spellings are refused."""
    assert not accepted(PARAMETER, text)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (MAX_INT64, True),
        (MAX_INT64 + 1, False),
        (MIN_INT64, True),
        (MIN_INT64 - 1, False),
    ],
)
def test_sixty_four_bits_are_the_bound(number: int, *, expected: bool) -> None:
    """Parameters beyond 64 bits are refused, the last ones within are taken."""
    assert accepted(PARAMETER_64, str(number)) is expected


def test_a_missing_member_stays_missing() -> None:
    """What wasn't set is not in the JSON, and null is no value for it."""

    class Book(ContractModel):
        title: str | MISSING = MISSING

    assert Book().model_dump_json() == "{}"
    assert Book(title="Emma").model_dump_json() == '{"title":"Emma"}'
    with pytest.raises(ValidationError):
        Book.model_validate({"title": None})
    assert Book.model_validate({"other": 1}).model_dump() == {}
