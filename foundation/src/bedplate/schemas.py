"""Types for requests that accept exactly what their JSON Schema says.

Pydantic accepts `true` for 1, "yes" for true and "1_000" for a thousand. These types don't.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

MIN_INT64: Final = -(2**63)
"""The smallest integer that a 64-bit column holds."""

MAX_INT64: Final = 2**63 - 1
"""The largest integer that a 64-bit column holds."""

# White space of Unicode, and invisible characters: joiners, fillers, direction marks.
# Variation selectors are not among them: an emoji may end in one.
_INVISIBLE_RANGES: Final = (
    (0x01, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C),
    (0x115F, 0x1160), (0x1680, 0x1680), (0x17B4, 0x17B5), (0x180E, 0x180E), (0x2000, 0x200F),
    (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB),
)  # fmt: skip
_INVISIBLE: Final = "".join(
    chr(code) for first, last in _INVISIBLE_RANGES for code in range(first, last + 1)
)
_INVISIBLE_CLASS: Final = "".join(
    f"\\u{first:04x}-\\u{last:04x}" for first, last in _INVISIBLE_RANGES
)
# Control characters, and what other programs take for the end of a line.
_UNPRINTABLE_CLASS: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_UNPRINTABLE: Final = re.compile(f"[{_UNPRINTABLE_CLASS}]")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_BOOLEANS: Final = {"true": True, "false": False}


class Schema(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class _Text:
    max_length: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._validate, handler(source))

    def _validate(self, value: str) -> str:
        if "\0" in value:
            raise ValueError("Text should not contain the character U+0000")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PydanticKnownError("string_unicode") from None
        if len(value) > self.max_length:
            raise ValueError(f"Text should have at most {self.max_length} characters")
        return value


@dataclass(frozen=True)
class MultiLineStr(_Text):
    """Marks a text of at most `max_length` characters, without U+0000 and lone surrogates."""

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "maxLength": self.max_length, "pattern": "^[^\\u0000]*$"}


@dataclass(frozen=True)
class SingleLineStr(_Text):
    """Marks a text of 1 to `max_length` characters (code points) after trimming, at least 2.

    White space and invisible characters are trimmed off both ends. A text of nothing else is
    refused, and so are U+0000 and lone surrogates, which PostgreSQL can't store.
    `Annotated[str, SingleLineStr(200)]`. With `printable`, control characters and line separators
    within the text are refused too: for a line of another program's input.
    """

    printable: bool = False

    def __post_init__(self) -> None:
        if self.max_length < 2:  # noqa: PLR2004 - a first and a last character
            raise ValueError("The max_length of a SingleLineStr must be at least 2.")

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        ends = f"[^\\u0000{_INVISIBLE_CLASS}]"
        inside = f"[^{_UNPRINTABLE_CLASS}]" if self.printable else "[^\\u0000]"
        text = f"{ends}(?:{inside}{{0,{self.max_length - 2}}}{ends})?"
        pattern = f"^[{_INVISIBLE_CLASS}]*{text}[{_INVISIBLE_CLASS}]*$"
        return {"type": "string", "pattern": pattern}

    def _validate(self, value: str) -> str:
        text = value.strip(_INVISIBLE)
        if not text:
            super()._validate(value)
            raise ValueError("Text should have at least one visible character")
        text = super()._validate(text)
        if self.printable and _UNPRINTABLE.search(text):
            raise ValueError("Text should be one line, without control characters")
        return text


def _decimal(value: object) -> object:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("Input should be a whole number in decimal digits")
    return _number(value)


def _number(value: object) -> object:
    """Return a whole number of JSON as an int: 1.0 is 1, and `true` is refused."""
    if isinstance(value, bool):
        raise PydanticKnownError("int_type")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _json_number(value: object) -> object:
    if isinstance(value, str):
        raise PydanticKnownError("int_type")
    return _number(value)


def parse_timestamp(value: object) -> object:
    """Return a text that is a time with its zone, for Pydantic to parse; else raise ValueError."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise ValueError("Input should be a time with its zone, such as 2026-11-21T16:00:00Z")
    return value


def _boolean(value: object) -> object:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value not in _BOOLEANS:
        raise ValueError("Input should be true or false")
    return _BOOLEANS[value]


@dataclass(frozen=True)
class _Bounded:
    minimum: int = MIN_INT64
    maximum: int = MAX_INT64
    parse: ClassVar[Any]

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.int_schema(ge=self.minimum, le=self.maximum)
        return core_schema.no_info_before_validator_function(self.parse, number)


class QueryInt(_Bounded):
    """Marks a whole number in a path or query, in decimal digits: `Annotated[int, QueryInt(1, 9)]`.

    The bounds belong in here: Pydantic writes `Query(ge=1)` as `ge` into the JSON Schema when it
    follows a validator.
    """

    parse = staticmethod(_decimal)


class WholeNumber(_Bounded):
    """Marks a whole number in a JSON body: `Annotated[int, WholeNumber(1, 9)]`.

    Never `true` or a text; 1.0 is accepted, since JSON Schema doesn't distinguish it from 1.
    """

    parse = staticmethod(_json_number)


QueryInt64 = Annotated[int, QueryInt()]
"""A 64-bit whole number in a path or query, in decimal digits."""

Int64Id = Annotated[int, QueryInt(minimum=1)]
"""An id in a path or query that a 64-bit column can hold."""

# FastAPI writes the bounds of body fields as floats: exact for 2**63, not for 2**63 - 1.
StrictInt64Id = Annotated[int, Field(ge=1, lt=MAX_INT64 + 1), BeforeValidator(_json_number)]
"""An id in a JSON body: a number, never `true` or a text."""

Timestamp = Annotated[AwareDatetime, BeforeValidator(parse_timestamp)]
"""A time with its zone (RFC 3339), never a number of seconds, which Pydantic accepts too."""

QueryBool = Annotated[bool, BeforeValidator(_boolean)]
"""A boolean in a query: `true` or `false`."""
