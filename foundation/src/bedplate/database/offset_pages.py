"""Offset pages: any page by its number, and how many items there are in all.

The database walks over everything before the offset and counts everything behind it: for lists of
some thousands, where people jump to a page. Longer lists and feeds take `bedplate.database.pages`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import BigInteger, bindparam, func, select

from bedplate.database.json_items import Columns, joined, json_array, json_object
from bedplate.database.sessions import ReadSession
from bedplate.database.statements import Statement

Item = TypeVar("Item")


class OffsetPageOf(BaseModel, Generic[Item]):
    """The JSON of an offset page, for `response_model=OffsetPageOf[Task]`."""

    items: list[Item]
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

    `order` is what ORDER BY takes, and must end in something unique, or an item may show twice. The
    names of the columns are the names in the JSON, and must be those of `item_type`.
    """

    def __init__(
        self, items: Columns, order: Sequence[Any], item_type: TypeAdapter[list[Any]]
    ) -> None:
        limit, offset = (bindparam(name, type_=BigInteger) for name in ("limit", "offset"))
        rows = items.order_by(*order).limit(limit).offset(offset)
        count = select(func.count().label("total")).select_from(items.order_by(None).subquery())
        self._items_type = item_type
        self._rows, self._count = Statement(rows), Statement(count)
        self._json = Statement(_json_page(rows, count))

    async def page(
        self, session: ReadSession, *, limit: int, offset: int = 0, **parameters: Any
    ) -> OffsetPage:
        """Return at most `limit` items after the first `offset`; neither may be below 0.

        On SQLite items and total are read one after the other, so a change may come between them.
        """
        numbers = {"limit": limit, "offset": offset}
        if session.dialect_name == "postgresql":
            page = await session.one(self._json, **numbers, **parameters)
            return OffsetPage(page["body"].encode(), page["total"], **numbers)
        rows = await session.all(self._rows, **numbers, **parameters)
        count = await session.one(self._count, **parameters)
        items = self._items_type.dump_json(self._items_type.validate_python(rows))
        return OffsetPage(items, count["total"], **numbers)


def _json_page(rows: Columns, count: Any) -> Columns:
    inner = rows.subquery("item")
    page = select(json_object(inner.c).label("json")).subquery("page")
    return select(
        json_array(joined(page.c.json)).label("body"),
        count.scalar_subquery().label("total"),
    )
