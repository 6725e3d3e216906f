"""Pages of lists, as JSON: by keyset or by offset.

A keyset page begins where the last one ended, however deep, whatever was inserted. Offset pages are
for lists of some thousands, where people jump to a page.

On PostgreSQL the database makes the JSON of a page, and Python never sees its rows: for 1,000 rows
that costs a tenth of building them here. Pydantic makes the same JSON on SQLite, and of items that
PostgreSQL would write otherwise (`json_items.writes_the_same`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Numeric,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)

from bedplate.database.json_items import writes_the_same
from bedplate.database.keysets import Keyset
from bedplate.database.sessions import ReadSession
from bedplate.database.statements import Statement
from bedplate.database.types import UTCDateTime

__all__ = ["Columns", "Keyset", "OffsetList", "OffsetPage", "OffsetPageOf", "Page", "PagedList"]

Columns = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""

_Item = TypeVar("_Item")
_ISO_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


@dataclass(frozen=True)
class Page:
    """One page: the JSON array of its items, and the cursor of the next page if there is one."""

    body: bytes
    next_cursor: str | None


class PagedList:
    """A list in pages of JSON: a SELECT of the columns that go out, ordered by a keyset.

    The names of the columns are the names in the JSON, and must be those of `item_type`. Keys must
    be among them.
    """

    def __init__(self, items: Columns, keyset: Keyset, item_type: TypeAdapter[Any]) -> None:
        self._keyset = keyset
        self._items_type = item_type
        self._made_by_database = writes_the_same(items, item_type)
        self._first = _statements(items, keyset)
        self._further = _statements(items.where(keyset.beyond()), keyset)

    async def page(
        self, session: ReadSession, *, limit: int, cursor: str | None = None, **parameters: Any
    ) -> Page:
        """Return a page of 1 to `limit` items, or of none when the list ends.

        Raises `InvalidInput` for a broken cursor, ValueError for a limit below 1.
        """
        if limit < 1:
            raise ValueError("A page has room for one item at least.")
        as_rows, as_json = self._first
        if cursor is not None:
            as_rows, as_json = self._further
            parameters |= self._keyset.decode(cursor)
        parameters["limit_and_one"] = limit + 1
        names = self._keyset.names
        if self._made_by_database and session.dialect_name == "postgresql":
            [page] = await session.all(as_json, limit=limit, **parameters)
            body, keys = page["body"].encode(), [page[f"last_{name}"] for name in names]
            return Page(body, self._keyset.encode(keys) if page["has_more"] else None)
        rows = await session.all(as_rows, **parameters)
        body = self._items_type.dump_json(self._items_type.validate_python(rows[:limit]))
        if len(rows) <= limit:
            return Page(body, None)
        return Page(body, self._keyset.encode([rows[limit - 1][name] for name in names]))


def _statements(items: Columns, keyset: Keyset) -> tuple[Statement, Statement]:
    """Return one page as rows, and as JSON that PostgreSQL makes."""
    rows = items.order_by(*keyset.order()).limit(bindparam("limit_and_one", type_=BigInteger))
    return Statement(rows), Statement(_keyset_json(rows, keyset))


def _keyset_json(rows: Columns, keyset: Keyset) -> Columns:
    inner = rows.subquery("item")
    page = select(
        _json_object(inner.c).label("json"),
        func.row_number().over().label("position"),
        *(inner.c[name] for name in keyset.names),
    ).subquery("page")
    limit = bindparam("limit", type_=BigInteger)
    return select(
        _json_array(page.c.json, page.c.position <= limit).label("body"),
        (func.count() > limit).label("has_more"),
        *(
            _at(page.c[name], page.c.position == limit).label(f"last_{name}")
            for name in keyset.names
        ),
    )


def _at(column: Any, there: Any) -> Any:
    """Return a column of the one row that is `there`. PostgreSQL 17 has no max() of UUIDs."""
    return func.array_agg(column).filter(there)[1]


class OffsetPageOf(BaseModel, Generic[_Item]):
    """The JSON of an offset page, for `response_model=OffsetPageOf[Task]`."""

    items: list[_Item]
    total: int
    limit: int
    offset: int


@dataclass(frozen=True)
class OffsetPage:
    """One page: the JSON array of its items, and how many items all pages have."""

    items: bytes
    total: int
    limit: int
    offset: int

    @property
    def body(self) -> bytes:
        """The page as the JSON of `OffsetPageOf`."""
        numbers = f'"total":{self.total},"limit":{self.limit},"offset":{self.offset}'
        return b'{"items":' + self.items + b"," + numbers.encode() + b"}"


class OffsetList:
    """A list in pages of JSON by offset: a SELECT of the columns that go out, and its order.

    `order` is what ORDER BY takes, and must end in something unique, or an item may show twice.
    Columns are named as for a `PagedList`.
    """

    def __init__(
        self, items: Columns, order: Sequence[Any], item_type: TypeAdapter[list[Any]]
    ) -> None:
        limit, offset = (bindparam(name, type_=BigInteger) for name in ("limit", "offset"))
        rows = items.order_by(*order).limit(limit).offset(offset)
        count = select(func.count().label("total")).select_from(items.order_by(None).subquery())
        self._items_type = item_type
        self._made_by_database = writes_the_same(items, item_type)
        self._rows, self._count = Statement(rows), Statement(count)
        page = select(_json_object(rows.subquery("item").c).label("json")).subquery("page")
        body = _json_array(page.c.json).label("body")
        self._json = Statement(select(body, count.scalar_subquery().label("total")))

    async def page(
        self, session: ReadSession, *, limit: int, offset: int = 0, **parameters: Any
    ) -> OffsetPage:
        """Return at most `limit` items after the first `offset`; neither may be below 0.

        Where Pydantic makes the JSON, as on SQLite, items and total are read one after the other,
        so a change may come between them.
        """
        numbers = {"limit": limit, "offset": offset}
        if self._made_by_database and session.dialect_name == "postgresql":
            [page] = await session.all(self._json, **numbers, **parameters)
            return OffsetPage(page["body"].encode(), page["total"], **numbers)
        rows = await session.all(self._rows, **numbers, **parameters)
        [count] = await session.all(self._count, **parameters)
        items = self._items_type.dump_json(self._items_type.validate_python(rows))
        return OffsetPage(items, count["total"], **numbers)


def _literal(text: str) -> ColumnElement[str]:
    """Return a text as it stands in the statement, rather than as a parameter."""
    return literal_column("'{}'".format(text.replace("'", "''")))


def _json_object(columns: Iterable[ColumnElement[Any]]) -> ColumnElement[str]:
    """Return the text of a JSON object with these columns, under their names."""
    members = [part for column in columns for part in (_literal(str(column.key)), _member(column))]
    return cast(func.json_build_object(*members), Text)


def _json_array(objects: Any, *conditions: Any) -> ColumnElement[str]:
    """Return the text of a JSON array: an aggregate of the objects that meet the conditions."""
    joined = func.string_agg(objects, _literal(",")).filter(*conditions)
    return func.concat(_literal("["), joined, _literal("]"))


def _member(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as Pydantic writes it: instants in UTC (RFC 3339), decimals as strings."""
    if isinstance(column.type, UTCDateTime):
        shown = func.to_char(func.timezone("UTC", column), _literal(_ISO_FORMAT))
        return func.replace(shown, _literal(".000000Z"), _literal("Z"))
    if isinstance(column.type, Numeric) and not isinstance(column.type, Float):
        return cast(column, Text)
    return column
