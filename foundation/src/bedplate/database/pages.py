"""Keyset pages: each page begins where the last one ended, however deep, whatever was inserted.

On PostgreSQL the database makes the JSON of a page, and Python never sees its rows: for 1,000 rows
that costs a tenth of building them here. On SQLite, Pydantic makes the same JSON.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from bedplate.database.sessions import ReadSession
from bedplate.database.statements import Row, Statement
from bedplate.database.types import UTCDateTime
from bedplate.problems import InvalidInput
from bedplate.schemas import SMALLEST_INT64

Columns = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LONGEST_CURSOR = 512
_NUMBER_PATTERN = "[0-9a-f]{16}"
_TEXT_PATTERN = "[A-Za-z0-9_-]*"
_ISO_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


@dataclass(frozen=True)
class Page:
    """One page: the JSON array of its items, and the cursor of the next page if there is one."""

    body: bytes
    next_cursor: str | None


class Keyset:
    """The order of a list: columns that together are unique, all descending or all ascending.

    The cursor is opaque to clients: the last item's keys, numbers and instants as 16 hexadecimal
    digits, texts in base64url. `pattern` describes cursors to OpenAPI, those of numbers exactly.
    """

    def __init__(self, *columns: Any, descending: bool = True) -> None:
        self.columns: Sequence[Any] = columns
        self.names = [column.key for column in columns]
        self._types: list[TypeEngine[Any]] = [column.type for column in columns]
        self._descending = descending
        parts = (_TEXT_PATTERN if _is_text(kind) else _NUMBER_PATTERN for kind in self._types)
        self.pattern = "^" + r"\.".join(parts) + "$"

    def order(self) -> list[ColumnElement[Any]]:
        """Return what ORDER BY takes."""
        return [column.desc() if self._descending else column.asc() for column in self.columns]

    def beyond(self) -> ColumnElement[bool]:
        """Return the condition for what comes after the cursor, given as `after_NAME`."""
        here = tuple_(*self.columns)
        there = tuple_(
            *(
                bindparam(f"after_{name}", type_=kind)
                for name, kind in zip(self.names, self._types, strict=True)
            )
        )
        return here < there if self._descending else here > there

    def encode(self, values: Sequence[Any]) -> str:
        """Return the cursor that points at an item by its keys."""
        return ".".join(map(_written, values))

    def decode(self, cursor: str) -> dict[str, Any]:
        """Return the parameters `after_NAME` of a cursor. Raises `InvalidInput`."""
        if not re.fullmatch(self.pattern, cursor):
            raise _broken_cursor()
        parts = zip(self.names, cursor.split("."), self._types, strict=True)
        try:
            return {f"after_{name}": _read(part, kind) for name, part, kind in parts}
        except ValueError:
            raise _broken_cursor() from None


def _broken_cursor() -> InvalidInput:
    message = "Input should be a cursor from a Link header"
    return InvalidInput([{"field": "cursor", "message": message, "code": "cursor_invalid"}])


def _is_text(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, Text | String)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
    number = (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
    return f"{number - SMALLEST_INT64:016x}"


def _read(part: str, kind: TypeEngine[Any]) -> Any:
    if _is_text(kind):
        return _text(part)
    number = int(part, 16) + SMALLEST_INT64
    if not isinstance(kind, UTCDateTime):
        return number
    return _EPOCH + min(max(number, _FIRST), _LAST) * _MICROSECOND


def _text(part: str) -> str:
    padded = part.encode() + b"=" * (-len(part) % 4)
    text = base64.urlsafe_b64decode(padded).decode()
    if "\0" in text:
        raise ValueError
    return text


class PagedList:
    """A list in pages of JSON: a SELECT of the columns that go out, ordered by a keyset."""

    def __init__(self, items: Columns, keyset: Keyset, item_type: TypeAdapter[Any]) -> None:
        self._keyset = keyset
        self._items_type = item_type
        self._first = _PageStatements(items, keyset)
        self._further = _PageStatements(items.where(keyset.beyond()), keyset)

    async def page(
        self, session: ReadSession, *, limit: int, cursor: str | None = None, **parameters: Any
    ) -> Page:
        """Return a page of at most `limit` items. Raises `InvalidInput` for a broken cursor."""
        statements = self._first
        if cursor is not None:
            statements = self._further
            parameters |= self._keyset.decode(cursor[:_LONGEST_CURSOR])
        if session.dialect_name == "postgresql":
            made = await session.one_or_none(
                statements.as_json, limit=limit, limit_and_one=limit + 1, **parameters
            )
            return self._from_database(made or {})
        rows = await session.all(statements.as_rows, limit_and_one=limit + 1, **parameters)
        return self._from_rows(rows, limit)

    def _from_database(self, made: Row) -> Page:
        keys = [made[f"last_{name}"] for name in self._keyset.names]
        return Page(made["body"].encode(), self._keyset.encode(keys) if made["has_more"] else None)

    def _from_rows(self, rows: list[Row], limit: int) -> Page:
        items = self._items_type.validate_python(rows[:limit])
        cursor = None
        if len(rows) > limit:
            cursor = self._keyset.encode([rows[limit - 1][name] for name in self._keyset.names])
        return Page(self._items_type.dump_json(items), cursor)


class _PageStatements:
    """One page as rows, and as JSON that PostgreSQL makes."""

    def __init__(self, items: Columns, keyset: Keyset) -> None:
        rows = items.order_by(*keyset.order()).limit(bindparam("limit_and_one", type_=BigInteger))
        self.as_rows = Statement(rows)
        self.as_json = Statement(_json_page(rows, keyset))


def _json_page(rows: Columns, keyset: Keyset) -> Columns:
    inner = rows.subquery("item")
    members = [
        part for column in inner.c for part in (literal_column(f"'{column.key}'"), _json(column))
    ]
    page = select(
        cast(func.json_build_object(*members), Text).label("json"),
        func.row_number().over().label("position"),
        *(inner.c[name] for name in keyset.names),
    ).subquery("page")
    limit = bindparam("limit", type_=BigInteger)
    text = func.string_agg(page.c.json, literal_column("','")).filter(page.c.position <= limit)
    return select(
        func.concat(literal_column("'['"), text, literal_column("']'")).label("body"),
        (func.count() > limit).label("has_more"),
        *(
            func.max(page.c[name]).filter(page.c.position == limit).label(f"last_{name}")
            for name in keyset.names
        ),
    )


def _json(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as JSON shows it: instants as RFC 3339 in UTC, as Pydantic writes them."""
    if isinstance(column.type, UTCDateTime):
        return func.to_char(func.timezone("UTC", column), _literal(_ISO_FORMAT))
    return column


def _literal(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'")
