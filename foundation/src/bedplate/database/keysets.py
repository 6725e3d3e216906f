"""Keysets: the order of a list, and the cursors that point at places in it."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, String, Uuid, bindparam, tuple_
from sqlalchemy.types import TypeEngine

from bedplate.database.types import FIRST_INSTANT, GUID, LAST_INSTANT, UTCDateTime
from bedplate.problems import InvalidInput
from bedplate.schemas import MIN_INT64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (FIRST_INSTANT - _EPOCH) // _MICROSECOND
_LAST = (LAST_INSTANT - _EPOCH) // _MICROSECOND


@dataclass(frozen=True)
class _Kind:
    """How a kind of key is written into a cursor and read from one (ValueError if it can't be)."""

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
    return _EPOCH + min(max(_read_number(part), _FIRST), _LAST) * _MICROSECOND


def _write_text(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def _read_text(part: str) -> str:
    padded = part.encode() + b"=" * (-len(part) % 4)
    text = base64.urlsafe_b64decode(padded).decode()
    if "\0" in text:
        raise ValueError
    return text


_NUMBER: Final = _Kind("[0-9a-f]{16}", _write_number, _read_number)
_INSTANT: Final = _Kind("[0-9a-f]{16}", _write_instant, _read_instant)
_UUID: Final = _Kind("[0-9a-f]{32}", lambda value: value.hex, UUID)
_TEXT: Final = _Kind("[A-Za-z0-9_-]*", _write_text, _read_text)
_KINDS: Final = (
    (Integer, _NUMBER),
    (UTCDateTime, _INSTANT),
    ((GUID, Uuid), _UUID),
    (String, _TEXT),
)


def _kind_of(column: Any) -> _Kind:
    for types, kind in _KINDS:
        if isinstance(column.type, types):
            return kind
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
        self._kinds = [_kind_of(column) for column in columns]
        self._descending = descending
        self.pattern = "^" + r"\.".join(kind.pattern for kind in self._kinds) + "$"
        for column in columns:
            if getattr(column, "nullable", False):
                raise TypeError(f"{column.key} can't be a key: it can be NULL.")

    def order(self) -> list[ColumnElement[Any]]:
        """Return what ORDER BY takes."""
        return [column.desc() if self._descending else column.asc() for column in self.columns]

    def beyond(self) -> ColumnElement[bool]:
        """Return the condition for what comes after the cursor, given as `after_NAME`."""
        here = tuple_(*self.columns)
        there = tuple_(
            *(
                bindparam(f"after_{name}", type_=_widest(column.type))
                for name, column in zip(self.names, self.columns, strict=True)
            )
        )
        return here < there if self._descending else here > there

    def encode(self, values: Sequence[Any]) -> str:
        """Return the cursor that points at an item by its keys."""
        pairs = zip(self._kinds, values, strict=True)
        return ".".join(kind.write(value) for kind, value in pairs)

    def decode(self, cursor: str) -> dict[str, Any]:
        """Return the parameters `after_NAME` of a cursor. Raises `InvalidInput`."""
        if not re.fullmatch(self.pattern, cursor):
            raise _broken_cursor()
        parts = zip(self.names, self._kinds, cursor.split("."), strict=True)
        try:
            return {f"after_{name}": kind.read(part) for name, kind, part in parts}
        except (ValueError, binascii.Error):
            raise _broken_cursor() from None


def _widest(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that holds every number a cursor can name."""
    return BigInteger() if isinstance(kind, Integer) else kind


def _broken_cursor() -> InvalidInput:
    message = "Input should be a cursor from a Link header"
    return InvalidInput([{"field": "cursor", "message": message, "code": "cursor_invalid"}])
