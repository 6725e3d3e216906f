from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic_core import core_schema

_MIN_ECHO_LENGTH: Final = 4

# Pydantic quotes the input, or a part of it, in these messages.
_QUOTING: Final = {
    "bytes_invalid_encoding": "Data should be valid in its encoding",
    "timezone_offset": "Input should have the right time zone",
    "union_tag_invalid": "Input should have one of the known tags",
    "uuid_parsing": "Input should be a valid UUID",
}
_WRITTEN: Final = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}
_OF_PYDANTIC: Final = frozenset(get_args(core_schema.ErrorType)) - _WRITTEN.keys()


def message_of(error: Mapping[str, Any]) -> str:
    """Return the message of one of Pydantic's errors (`ValidationError.errors()`).

    It never contains the refused value: a message of a field's validator that quotes it is replaced
    by a general sentence. Messages of model validators stay unchanged, since they often name a
    value that isn't at fault.
    """
    code, message = str(error["type"]), str(error["msg"])
    if code in _QUOTING:
        return _QUOTING[code]
    if code not in _OF_PYDANTIC and _quotes(message, error):
        return "Input can't be accepted"
    return message.removeprefix(_WRITTEN.get(code, ""))


def _quotes(message: str, error: Mapping[str, Any]) -> bool:
    value = error.get("input")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    text = str(value).casefold()
    if len(text) >= _MIN_ECHO_LENGTH and text in message.casefold():
        return True
    context: Mapping[str, Any] = error.get("ctx") or {}
    return any(
        part and isinstance(part, str) and part.casefold() in text for part in context.values()
    )
