"""Keysets: the order of a list, and the cursors that point at places in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, String, Uuid, bindparam, tuple_

from bedplate.database.statements import widest
from bedplate.database.types import GUID, UTCDateTime
from bedplate.pagination import (
    KEY_CODECS,
    KeyCodec,
    cursor_pattern,
    read_cursor,
    write_cursor,
)

_CODECS: Final = (
    (Integer, KEY_CODECS[int]),
    (UTCDateTime, KEY_CODECS[datetime]),
    ((GUID, Uuid), KEY_CODECS[UUID]),
    (String, KEY_CODECS[str]),
)


def _codec_of(column: Any) -> KeyCodec:
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
        self.pattern = cursor_pattern(self._codecs)
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
                bindparam(f"after_{name}", type_=widest(column.type))
                for name, column in zip(self.names, self.columns, strict=True)
            )
        )
        return here < there if self._descending else here > there

    def encode(self, values: Sequence[Any]) -> str:
        """Return the cursor that points at an item by its keys."""
        return write_cursor(self._codecs, values)

    def decode(self, cursor: str) -> dict[str, Any]:
        """Return the parameters `after_NAME` of a cursor. Raises `InvalidInput`."""
        keys = read_cursor(self._codecs, cursor)
        return {f"after_{name}": key for name, key in zip(self.names, keys, strict=True)}
