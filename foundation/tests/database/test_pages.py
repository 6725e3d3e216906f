"""Keyset pages: the same JSON on both databases, and nothing shown twice or left out."""

import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from bedplate.database import GUID, Database, Statement, UTCDateTime
from bedplate.database.pages import Keyset, Page, PagedList

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
ITEMS = Table(
    "items",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("created_at", UTCDateTime, nullable=False),
    Column("guid", GUID, nullable=False),
    Column("text", String),
    Column("done", Boolean),
    Column("number", Integer),
    Column("price", Numeric(12, 2)),
    Column("day", Date),
    Column("tree", JSON(none_as_null=True)),
)


class Item(BaseModel):
    """An item as it goes out."""

    id: int
    created_at: datetime
    guid: UUID
    text: str | None
    done: bool | None
    number: int | None
    price: Decimal | None
    day: date | None
    tree: Any


NEWEST_FIRST = Keyset(ITEMS.c.created_at, ITEMS.c.guid)
SHOWN = TypeAdapter(list[Item])
LIST = PagedList(select(*ITEMS.c), NEWEST_FIRST, SHOWN)
OLDEST_FIRST = PagedList(
    select(*ITEMS.c), Keyset(ITEMS.c.created_at, ITEMS.c.id, descending=False), SHOWN
)
SEARCH = PagedList(select(*ITEMS.c).where(ITEMS.c.text == bindparam("it")), NEWEST_FIRST, SHOWN)
ADD = Statement(
    insert(ITEMS).values({name: bindparam(f"new_{name}") for name in ITEMS.c.keys()})  # noqa: SIM118
)
CLEAR = Statement(delete(ITEMS))
START = datetime(2026, 1, 1, tzinfo=UTC)
FULL: dict[str, Any] = {
    "text": "Tea",
    "done": True,
    "number": -1,
    "price": Decimal("12.30"),
    "day": date(2026, 2, 3),
    "tree": {"a": [1, None, "é"]},
}


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


def item(key: int, /, **values: Any) -> dict[str, Any]:
    """Return an item; several share an instant."""
    return {
        **dict.fromkeys(FULL),
        "id": key,
        "created_at": START + timedelta(microseconds=key // 3),
        "guid": UUID(int=(key * 7919) % 2**128),
        **values,
    }


async def store(database: Database, *items: dict[str, Any]) -> None:
    """Store items."""
    async with database.write() as session:
        for each in items:
            await session.all(ADD, **{f"new_{name}": value for name, value in each.items()})


async def walk(
    database: Database, paged: PagedList, limits: Callable[[], int], **parameters: Any
) -> list[int]:
    """Return the ids of all pages, one after the other."""
    found: list[int] = []
    page = Page(b"", "")
    cursor = None
    while page.next_cursor is not None:
        limit = limits()
        page = await paged.page(database.read(), limit=limit, cursor=cursor, **parameters)
        ids = [each["id"] for each in json.loads(page.body)]
        assert len(ids) == limit or page.next_cursor is None
        found += ids
        cursor = page.next_cursor
    return found


async def test_a_page_is_the_json_that_pydantic_makes(database: Database) -> None:
    """Every kind of value, with and without a fraction of a second, and NULLs."""
    items = [
        item(1, **FULL),
        item(2),
        item(3, created_at=START + timedelta(microseconds=100_000)),
        item(4, created_at=datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC)),
        item(5, created_at=datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC)),
        item(6, price=Decimal("0.00"), tree=[], number=2**31 - 1),
    ]
    await store(database, *items)
    page = await OLDEST_FIRST.page(database.read(), limit=10)
    ordered = sorted(items, key=lambda each: (each["created_at"], each["id"]))
    expected = SHOWN.dump_json(SHOWN.validate_python(ordered))
    assert json.loads(page.body) == json.loads(expected)
    assert page.next_cursor is None


TEXTS = [
    '"',
    "\\",
    "\\u0041",
    "</script>",
    "\u2028\u2029",
    "🎉é\u0301",
    "\x7f",
    "'",
    "%s :x $1",
    "",
]


async def test_no_text_breaks_out_of_its_string(database: Database) -> None:
    """Quotes, backslashes, every control character but U+0000, and more than the basic plane."""
    texts = [*TEXTS, *map(chr, range(1, 32)), "".join(TEXTS)]
    await store(database, *(item(number, text=text) for number, text in enumerate(texts)))
    page = await OLDEST_FIRST.page(database.read(), limit=100)
    assert [each["text"] for each in json.loads(page.body)] == texts


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
async def test_any_text_comes_out_as_it_went_in(database: Database, text: str) -> None:
    """Whatever PostgreSQL escapes, a JSON parser reads the same text."""
    async with database.write() as session:
        await session.all(CLEAR)
    await store(database, item(1, text=text))
    page = await SEARCH.page(database.read(), limit=1, it=text)
    assert [each["text"] for each in json.loads(page.body)] == [text]


async def test_an_empty_list_is_an_empty_array(database: Database) -> None:
    """Without a cursor to a next page; so is what a filter leaves nothing of."""
    assert await LIST.page(database.read(), limit=1) == Page(b"[]", None)
    await store(database, item(1, text="a"))
    assert await SEARCH.page(database.read(), limit=1, it="b") == Page(b"[]", None)


async def test_the_last_full_page_has_no_next_one(database: Database) -> None:
    """The cursor comes only when something is behind it."""
    await store(database, *(item(number) for number in range(4)))
    first = await LIST.page(database.read(), limit=2)
    assert first.next_cursor is not None
    second = await LIST.page(database.read(), limit=2, cursor=first.next_cursor)
    assert second.next_cursor is None
    assert len(json.loads(second.body)) == 2


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_page_for_nothing_is_a_mistake(database: Database, limit: int) -> None:
    """A route declares its least limit; one that forgot learns it."""
    with pytest.raises(ValueError, match="one item at least"):
        await LIST.page(database.read(), limit=limit)


@pytest.mark.parametrize(("paged", "sign"), [(LIST, -1), (OLDEST_FIRST, 1)])
async def test_pages_come_in_order(database: Database, paged: PagedList, sign: int) -> None:
    """In both directions, among items of the same instant too."""
    items = [item(number) for number in range(100)]
    await store(database, *random.Random(1).sample(items, 100))
    key = "guid" if paged is LIST else "id"
    ordered = sorted(items, key=lambda each: (each["created_at"], each[key]), reverse=sign < 0)
    assert await walk(database, paged, lambda: 7) == [each["id"] for each in ordered]


async def test_a_thousand_items_are_one_page(database: Database) -> None:
    """In order, with everything."""
    await store(database, *(item(number, **FULL) for number in range(1001)))
    page = await OLDEST_FIRST.page(database.read(), limit=1000)
    found = json.loads(page.body)
    assert [each["id"] for each in found] == list(range(1000))
    assert found[999]["tree"] == FULL["tree"]
    assert page.next_cursor is not None


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), seed=st.integers(0, 2**32))
async def test_what_was_there_is_shown_once_whatever_is_added_or_removed(
    database: Database, data: st.DataObject, seed: int
) -> None:
    """Pages of any size, with insertions and deletions between them."""
    chance = random.Random(seed)
    async with database.write() as session:
        await session.all(CLEAR)
    numbers = list(range(0, data.draw(st.integers(0, 40)) * 2, 2))
    await store(database, *(item(number, text="a") for number in numbers))
    removed = await remover(database)
    gone: set[int] = set()

    async def meddle() -> None:
        new = chance.randrange(1, 99, 2)
        await removed(new)
        await store(database, item(new, text="a"))
        if numbers and chance.random() < 0.3:
            gone.add(chance.choice(numbers))
            await removed(*gone)

    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await SEARCH.page(
            database.read(), limit=chance.randrange(1, 9), cursor=cursor or None, it="a"
        )
        found += [each["id"] for each in json.loads(page.body)]
        cursor = page.next_cursor
        await meddle()
    # What is taken away and added again meanwhile may show again, so only the others count.
    kept = [number for number in found if number % 2 == 0]
    assert set(numbers) - gone <= set(kept)
    assert len(kept) == len(set(kept))
    order = sorted(kept, key=lambda n: (n // 3, (n * 7919) % 2**128), reverse=True)
    assert kept == order


async def remover(database: Database) -> Callable[..., Awaitable[None]]:
    """Return what removes items by number."""
    remove = Statement(delete(ITEMS).where(ITEMS.c.id == bindparam("number")))

    async def removed(*numbers: int) -> None:
        async with database.write() as session:
            for number in numbers:
                await session.all(remove, number=number)

    return removed


async def test_a_column_may_have_any_name(open_database: OpenDatabase, database_url: str) -> None:
    """Names with quotes and other signs are names, not SQL."""
    metadata = MetaData()
    name = 'it\'s "odd" %(x)s :y'
    table = Table("odd", metadata, Column("id", Integer, primary_key=True), Column("b", Integer))
    database = await open_database(database_url, metadata)
    async with database.write() as session:
        await session.all(Statement(insert(table).values(id=1, b=2)))
    paged = PagedList(
        select(table.c.id, table.c.b.label(name)),
        Keyset(table.c.id),
        TypeAdapter(list[dict[str, int]]),
    )
    page = await paged.page(database.read(), limit=1)
    assert json.loads(page.body) == [{"id": 1, name: 2}]
