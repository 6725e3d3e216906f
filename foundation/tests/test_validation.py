"""What is said about a refused value never repeats it, and says all else."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Base64Str, ByteSize, Field, TypeAdapter, ValidationError

from bedplate.validation import message_of


def _messages(kind: Any, value: object) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    return [message_of(error) for error in refused.value.errors()]


def _quote(value: str) -> str:
    raise ValueError(f"{value.upper()} will not do")


def _assert(value: str) -> str:
    assert len(value) < 3, f"{value} is long"
    return value


@pytest.mark.parametrize(
    "kind",
    [
        UUID,
        int,
        datetime,
        Base64Str,
        ByteSize,
        ZoneInfo,
        Annotated[str, AfterValidator(_quote)],
        Annotated[str, AfterValidator(_assert)],
        Annotated[str, Field(pattern="^[0-9]$")],
    ],
)
@given(value=st.from_regex(r"[qxz]{9}(?:[qxz]{4})?", fullmatch=True))
def test_no_message_repeats_the_value(kind: Any, value: str) -> None:
    """Neither Pydantic's own, which quotes some, nor one that a person wrote."""
    for message in _messages(kind, value):
        assert value.casefold() not in message.casefold()
        assert value[-3:].casefold() not in message.casefold()


def test_a_message_that_quotes_nothing_stays_unchanged() -> None:
    """With the bound that was broken, which is ours to tell."""
    assert _messages(Annotated[int, Field(le=1000)], 1001) == [
        "Input should be less than or equal to 1000"
    ]


def test_pydantic_s_prefix_is_left_out() -> None:
    """Whoever wrote the sentence wrote it for a reader."""

    def refuse(_: str) -> str:
        raise ValueError("Say something else.")

    assert _messages(Annotated[str, AfterValidator(refuse)], "hello") == ["Say something else."]


@pytest.mark.parametrize("value", ["a", "the", 1, True, None, [], {}])
def test_a_value_too_short_to_tell_does_not_spoil_the_sentence(value: object) -> None:
    """The letter "a" stands in most sentences."""

    def refuse(_: object) -> object:
        raise ValueError("The 1st is a None or True")

    assert _messages(Annotated[Any, AfterValidator(refuse)], value) == ["The 1st is a None or True"]
