from collections.abc import Sequence
from typing import Any

from bedplate.problems.exceptions import FieldError, InvalidInput
from bedplate.validation import message_of

_MAX_ERRORS = 100
_MAX_FIELD_LENGTH = 200


def invalid_input(errors: Sequence[Any]) -> InvalidInput:
    """Return the problem for Pydantic's `errors`, without the refused values."""
    return InvalidInput(
        [_field_error(error) for error in errors[:_MAX_ERRORS]],
        in_path=any(error["loc"][:1] == ("path",) for error in errors),
    )


def _field_error(error: Any) -> FieldError:
    return {
        "field": _field(error)[:_MAX_FIELD_LENGTH].encode("utf-8", "replace").decode(),
        "message": message_of(error),
        "code": str(error["type"]),
    }


def _field(error: Any) -> str:
    """Return the dotted path of a value below `body` or `query`, or that name itself."""
    location = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return "body"
    if location[-1:] == ["[key]"]:
        del location[-2]  # the key itself was refused
    return ".".join(location[1:]) or (location[0] if location else "body")
