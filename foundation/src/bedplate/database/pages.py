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
from bedplate.database.statements import Row, Statement

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
        self._first = _PageStatements(items, keyset)
        self._further = _PageStatements(items.where(keyset.beyond()), keyset)

    async def page(
        self, session: ReadSession, *, limit: int, cursor: str | None = None, **parameters: Any
    ) -> Page:
        """Return a page of 1 to `limit` items, or of none when the list ends.

        Raises `InvalidInput` for a broken cursor, ValueError for a limit below 1.
        """
        if limit < 1:
            raise ValueError("A page has room for one item at least.")
        statements = self._first
        if cursor is not None:
            statements = self._further
            parameters |= self._keyset.decode(cursor)
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
