"""What a type takes and what its JSON Schema says it takes are the same.

The schemas are judged by an independent implementation of JSON Schema (draft 2020-12).
"""

import json
import re
from datetime import datetime
from typing import Annotated, Any

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, StrictBool, TypeAdapter, ValidationError

from bedplate.schemas import (
    MAX_INT64,
    MIN_INT64,
    Int64Id,
    MultiLineStr,
    QueryBool,
    QueryInt64,
    Schema,
    SingleLineStr,
    StrictInt64Id,
    Timestamp,
    WholeNumber,
)

LINE: TypeAdapter[str] = TypeAdapter(Annotated[str, SingleLineStr(200)])
LONG: TypeAdapter[str] = TypeAdapter(Annotated[str, MultiLineStr(200)])
DECIMAL: TypeAdapter[int] = TypeAdapter(QueryInt64)
ID: TypeAdapter[int] = TypeAdapter(Int64Id)
BODY_ID: TypeAdapter[int] = TypeAdapter(StrictInt64Id)
CHAT: TypeAdapter[str] = TypeAdapter(Annotated[str, SingleLineStr(200, printable=True)])
AMOUNT: TypeAdapter[int] = TypeAdapter(Annotated[int, WholeNumber(1, 1000)])
TIMESTAMP: TypeAdapter[datetime] = TypeAdapter(Timestamp)
BOOLEAN: TypeAdapter[bool] = TypeAdapter(QueryBool)

EMOJI = "\N{GRINNING FACE}"
WHITE = " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u180e\u2003\u2028\u2029\u202f\u205f\u3000"
ZERO_WIDTH = "\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u3164\u115f\uffa0\u2800"


def _takes(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _schema_takes(adapter: TypeAdapter[Any], value: object) -> bool:
    return jsonschema_rs.Draft202012Validator(adapter.json_schema()).is_valid(value)


def _agree(adapter: TypeAdapter[Any], value: object) -> bool:
    taken = _takes(adapter, value)
    assert _schema_takes(adapter, value) is taken
    return taken


def _python_takes(adapter: TypeAdapter[Any], value: str) -> bool:
    """Judge by the pattern alone, with Python's regular expressions: clients use many engines."""
    schema = adapter.json_schema()
    fits = len(value) <= schema.get("maxLength", len(value))
    return fits and re.search(schema["pattern"], value) is not None


TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.text(st.sampled_from(WHITE + ZERO_WIDTH + "\0ab" + EMOJI), max_size=12),
    st.integers(196, 204).map(lambda length: "x" * length),
    st.integers(196, 204).map(lambda length: f" {EMOJI * length}\u200b\n"),
    st.integers(190, 204).map(lambda length: "a" + " " * length + "b"),
)


@given(TEXTS)
@example("")
@example("\n")
@example("a\n")
@example(f"{WHITE}{ZERO_WIDTH}")
@example(f"{WHITE}a{ZERO_WIDTH}")
@example("a\0")
@example("\0\n")
@example("\x7f")
@example("\N{HEAVY BLACK HEART}\ufe0f")
def test_a_line_is_what_its_schema_says(text: str) -> None:
    """Neither more nor less, in two engines of regular expressions."""
    assert _agree(LINE, text) is _python_takes(LINE, text)


@given(TEXTS)
@example("\0")
@example("a\0\n")
@example("a\n")
def test_a_long_text_is_what_its_schema_says(text: str) -> None:
    """White space counts and stays; only U+0000 and the length are refused."""
    taken = _agree(LONG, text)
    assert taken is _python_takes(LONG, text)
    if taken:
        assert LONG.validate_python(text) == text


@given(TEXTS)
def test_a_line_that_was_taken_is_taken_again_unchanged(text: str) -> None:
    """What is stored can be sent back: trimming is done once and for all."""
    if _takes(LINE, text):
        trimmed = LINE.validate_python(text)
        assert LINE.validate_python(trimmed) == trimmed
        assert 1 <= len(trimmed) <= 200


@pytest.mark.parametrize("adapter", [LINE, LONG])
def test_length_counts_characters_and_not_bytes(adapter: TypeAdapter[str]) -> None:
    """200 emoji of four bytes are 200 characters; 201 are one too many."""
    assert _agree(adapter, EMOJI * 200)
    assert not _agree(adapter, EMOJI * 201)
    assert _agree(adapter, "x" * 200)
    assert not _agree(adapter, "x" * 201)


def test_what_shows_nothing_is_trimmed_off_a_line() -> None:
    """White space of Unicode, and joiners, fillers and marks of direction; not from its inside."""
    nothing = WHITE + ZERO_WIDTH
    assert LINE.validate_python(f"{nothing}a{nothing}b{nothing}") == f"a{nothing}b"
    assert _agree(LINE, f"{nothing}{'x' * 200}{nothing}")


@pytest.mark.parametrize("character", WHITE + ZERO_WIDTH)
def test_a_line_of_nothing_visible_is_refused(character: str) -> None:
    """A title of zero-width spaces would be an empty one to everybody who looks."""
    assert not _agree(LINE, character)
    assert not _agree(LINE, character * 300)


def test_an_emoji_keeps_its_variation_selector() -> None:
    """Trimming it off would turn a red heart black."""
    heart = "\N{HEAVY BLACK HEART}\ufe0f"
    assert LINE.validate_python(f" {heart} ") == heart


@pytest.mark.parametrize("adapter", [LINE, LONG])
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_lone_surrogates_are_refused(adapter: TypeAdapter[str], text: str) -> None:
    """No database stores them. JSON Schema has no word for them: it speaks of Unicode text."""
    assert not _takes(adapter, text)
    assert not _takes(adapter, json.loads(json.dumps(text)))


@pytest.mark.parametrize("adapter", [LINE, LONG])
@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}])
def test_only_texts_are_texts(adapter: TypeAdapter[str], value: object) -> None:
    """Numbers don't become texts."""
    assert not _agree(adapter, value)


def test_a_megabyte_of_nothing_is_refused_at_once() -> None:
    """The pattern doesn't backtrack its way through it in either engine."""
    text = "a" + " " * 1_000_000 + "b"
    assert not _agree(LINE, text)
    assert not _python_takes(LINE, text)


def test_a_line_has_room_for_two_characters() -> None:
    """A smaller bound is the author's mistake, and reported at import."""
    with pytest.raises(ValueError, match="at least 2"):
        SingleLineStr(1)
    assert _takes(TypeAdapter(Annotated[str, SingleLineStr(2)]), "ab")


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "a\x7fb", "a\x9bb", "a\u2028b", "\0", "a\r/stop"])
def test_a_printable_line_has_no_control_characters(text: str) -> None:
    """Within it they could be a second command; at its ends they are trimmed off."""
    assert not _agree(CHAT, text)
    assert CHAT.validate_python("\x1b Hello \n") == "Hello"


@given(st.text(max_size=210))
def test_a_printable_line_takes_what_its_schema_says(text: str) -> None:
    """No text is judged differently by the two."""
    _agree(CHAT, text)


@pytest.mark.parametrize("value", [0, 1001, 1.5, True, "1", None, [], 2**63])
def test_whole_numbers_are_numbers_within_their_bounds(value: object) -> None:
    """`true` is no number, nor is a text; 1.0 is 1, as in JSON Schema."""
    assert not _takes(AMOUNT, value)
    assert (AMOUNT.validate_python(1.0), AMOUNT.validate_python(1000)) == (1, 1000)


@pytest.mark.parametrize(
    "value", ["0.5", "1700000000", 1_700_000_000, "2026-11-21", "2026-11-21T16:00:00", "now", None]
)
def test_a_timestamp_has_a_zone_and_is_no_number(value: object) -> None:
    """Seconds since 1970 are refused: milliseconds look the same."""
    assert not _takes(TIMESTAMP, value)
    at = TIMESTAMP.validate_python("2026-11-21T17:00:00.5+01:00")
    assert at.isoformat() == "2026-11-21T17:00:00.500000+01:00"


INTEGERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, MAX_INT64, MIN_INT64]).flatmap(
        lambda edge: st.integers(edge - 2, edge + 2)
    ),
)


@pytest.mark.parametrize("adapter", [DECIMAL, ID])
@given(number=INTEGERS)
@example(number=MAX_INT64 + 1)
@example(number=MIN_INT64)
@example(number=10**30)
def test_a_decimal_number_is_what_its_schema_says(adapter: TypeAdapter[int], number: int) -> None:
    """In a path or query the digits stand for the number that the schema speaks of."""
    taken = _takes(adapter, str(number))
    assert _schema_takes(adapter, number) is taken
    if taken:
        assert adapter.validate_python(str(number)) == number


@pytest.mark.parametrize("adapter", [DECIMAL, ID])
@given(text=st.one_of(st.text(max_size=4), st.from_regex(r"[-+0-9_ .eE]{1,5}", fullmatch=True)))
@example(text="1_000")
@example(text=" 1")
@example(text="+1")
@example(text="1.0")
@example(text="1e3")
@example(text="\N{ARABIC-INDIC DIGIT ONE}")
@example(text="01")
@example(text="1\n")
@example(text="9" * 5000)
def test_only_decimal_digits_are_a_number(adapter: TypeAdapter[int], text: str) -> None:
    """What Python's `int` would take beside them is refused."""
    canonical = re.fullmatch(r"-?(0|[1-9][0-9]*)", text, re.ASCII) is not None
    taken = _takes(adapter, text)
    assert taken <= canonical
    if canonical:
        assert taken is _schema_takes(adapter, int(text) if len(text) < 4000 else 10**400)


@pytest.mark.parametrize("adapter", [DECIMAL, ID, BODY_ID])
@pytest.mark.parametrize("value", [True, False, None, 1.5, float("nan"), float("inf"), [1], {}])
def test_nothing_else_is_a_number(adapter: TypeAdapter[int], value: object) -> None:
    """`true` is not 1."""
    assert not _takes(adapter, value)


@given(st.one_of(INTEGERS, INTEGERS.map(float), st.floats(), st.booleans(), st.text(max_size=3)))
@example(1.0)
@example(1e300)
@example(float(MAX_INT64))
@example("1")
@example(True)
def test_an_id_in_a_body_is_what_its_schema_says(value: object) -> None:
    """For JSON 1 and 1.0 are one number, and `"1"` is none."""
    if isinstance(value, float) and not -1e308 < value < 1e308:
        assert not _takes(BODY_ID, value)
    else:
        _agree(BODY_ID, value)


@given(st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none(), st.floats()))
@example("true")
@example("True")
@example("1")
@example("yes")
@example(1)
@example(0)
@example(1.0)
def test_a_boolean_is_true_or_false(value: object) -> None:
    """In a query the two words; in JSON the two values, as the schema says; nothing else."""
    assert _takes(BOOLEAN, value) is (value in ("true", "false") or isinstance(value, bool))
    if not isinstance(value, str | float):
        _agree(BOOLEAN, value)


def test_what_is_not_declared_is_refused() -> None:
    """A misspelt field isn't silently dropped, and the schema says so."""

    class Note(Schema):
        done: StrictBool = False
        ids: Annotated[list[StrictInt64Id], Field(max_length=2)] = Field(default_factory=list)

    note: TypeAdapter[Note] = TypeAdapter(Note)
    assert not _agree(note, {"don": True})
    assert not _agree(note, {"done": 1})
    assert not _agree(note, {"ids": [True]})
    assert _agree(note, {"ids": [1, 1.0]})
