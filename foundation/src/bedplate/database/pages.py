"""Keyset pages: each page begins where the last one ended, however deep, whatever was inserted.

On PostgreSQL the database makes the JSON of a page, and Python never sees its rows: for 1,000 rows
that costs a tenth of building them here. On SQLite, Pydantic makes the same JSON.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, bindparam, func, select

from bedplate.database.json_items import Columns, joined, json_array, json_object
from bedplate.database.keysets import Keyset
from bedplate.database.sessions import ReadSession
from bedplate.database.statements import Statement

__all__ = ["Columns", "Keyset", "Page", "PagedList"]


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
        if session.dialect_name == "postgresql":
            page = await session.one(as_json, limit=limit, **parameters)
            keys = [page[f"last_{name}"] for name in names]
            more = page["has_more"]
            return Page(page["body"].encode(), self._keyset.encode(keys) if more else None)
        rows = await session.all(as_rows, **parameters)
        body = self._items_type.dump_json(self._items_type.validate_python(rows[:limit]))
        if len(rows) <= limit:
            return Page(body, None)
        return Page(body, self._keyset.encode([rows[limit - 1][name] for name in names]))


def _statements(items: Columns, keyset: Keyset) -> tuple[Statement, Statement]:
    """Return one page as rows, and as JSON that PostgreSQL makes."""
    rows = items.order_by(*keyset.order()).limit(bindparam("limit_and_one", type_=BigInteger))
    return Statement(rows), Statement(_json_page(rows, keyset))


def _json_page(rows: Columns, keyset: Keyset) -> Columns:
    inner = rows.subquery("item")
    page = select(
        json_object(inner.c).label("json"),
        func.row_number().over().label("position"),
        *(inner.c[name] for name in keyset.names),
    ).subquery("page")
    limit = bindparam("limit", type_=BigInteger)
    objects = joined(page.c.json).filter(page.c.position <= limit)
    return select(
        json_array(objects).label("body"),
        (func.count() > limit).label("has_more"),
        *(
            _at(page.c[name], page.c.position == limit).label(f"last_{name}")
            for name in keyset.names
        ),
    )


def _at(column: Any, there: Any) -> Any:
    """Return the value of a column in the one row that a condition holds for.

    Not by max(), which PostgreSQL 17 and older don't have for UUIDs.
    """
    return func.array_agg(column).filter(there)[1]
