import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, String, Uuid, bindparam, tuple_

from bedplate.database.statements import widest
from bedplate.database.types import GUID, MAX_INSTANT, MIN_INSTANT, UTCDateTime
from bedplate.problems import InvalidInput
from bedplate.schemas import MIN_INT64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIN_MICROSECONDS = (MIN_INSTANT - _EPOCH) // _MICROSECOND
_MAX_MICROSECONDS = (MAX_INSTANT - _EPOCH) // _MICROSECOND


@dataclass(frozen=True)
class _Codec:
    """Writes one type of key into a cursor and reads it back; `read` raises ValueError."""

    pattern: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _write_number(value: int) -> str:
    return f"{value - MIN_INT64:016x}"


def _read_number(part: str) -> int:
    return int(part, 16) + MIN_INT64


def _write_instant(value: datetime) -> str:
    return _write_number((value - _EPOCH) // _MICROSECOND)


def _read_instant(part: str) -> datetime:
    microseconds = min(max(_read_number(part), _MIN_MICROSECONDS), _MAX_MICROSECONDS)
    return _EPOCH + microseconds * _MICROSECOND


def _write_text(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def _read_text(part: str) -> str:
    padded = part.encode() + b"=" * (-len(part) % 4)
    text = base64.urlsafe_b64decode(padded).decode()
    if "\0" in text:
        raise ValueError
    return text


_CODECS: Final = (
    (Integer, _Codec("[0-9a-f]{16}", _write_number, _read_number)),
    (UTCDateTime, _Codec("[0-9a-f]{16}", _write_instant, _read_instant)),
    ((GUID, Uuid), _Codec("[0-9a-f]{32}", lambda value: value.hex, UUID)),
    (String, _Codec("[A-Za-z0-9_-]*", _write_text, _read_text)),
)


def _codec_of(column: Any) -> _Codec:
    if getattr(column, "nullable", False):
        raise TypeError(f"{column.key} can't be a key: it can be NULL.")
    for types, codec in _CODECS:
        if isinstance(column.type, types):
            return codec
    raise TypeError(f"{column.key} can't be a key: its type has no place in a cursor.")


class Keyset:
    """The order of a list: columns that together are unique, all descending or all ascending.

    The cursor is opaque to clients: the last item's keys, numbers and instants as 16 hexadecimal
    digits, UUIDs as 32, texts in base64url. `pattern` describes cursors to OpenAPI.

    Raises TypeError for a column that can be NULL, which has no place in an order, and for a type
    other than integers, `UTCDateTime`, UUIDs and texts.
    """

    def __init__(self, *columns: Any, descending: bool = True) -> None:
        self.columns: Sequence[Any] = columns
        self.names = [column.key for column in columns]
        self._codecs = [_codec_of(column) for column in columns]
        self._descending = descending
        self.pattern = "^" + r"\.".join(codec.pattern for codec in self._codecs) + "$"

    def order(self) -> list[ColumnElement[Any]]:
        """Return what ORDER BY takes."""
        return [column.desc() if self._descending else column.asc() for column in self.columns]

    def beyond(self) -> ColumnElement[bool]:
        """Return the condition for what comes after the cursor, given as `after_NAME`."""
        keys = [bindparam(f"after_{each.key}", type_=widest(each.type)) for each in self.columns]
        here, there = tuple_(*self.columns), tuple_(*keys)
        return here < there if self._descending else here > there

    def encode(self, values: Sequence[Any]) -> str:
        """Return the cursor that points at an item by its keys."""
        pairs = zip(self._codecs, values, strict=True)
        return ".".join(codec.write(value) for codec, value in pairs)

    def decode(self, cursor: str) -> dict[str, Any]:
        """Return the parameters `after_NAME` of a cursor. Raises `InvalidInput`."""
        try:
            if re.fullmatch(self.pattern, cursor):
                parts = zip(self.names, self._codecs, cursor.split("."), strict=True)
                return {f"after_{name}": codec.read(part) for name, codec, part in parts}
        except ValueError:
            pass
        message = "Input should be a cursor from a Link header"
        raise InvalidInput([{"field": "cursor", "message": message, "code": "cursor_invalid"}])
