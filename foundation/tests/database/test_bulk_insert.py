"""Bulk inserts: every type arrives as one row's would, all rows or none."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
)

from bedplate.database import (
    GUID,
    Database,
    DataRefused,
    Row,
    Statement,
    UniqueViolation,
    UTCDateTime,
)
from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.json_containment import JSONDocument

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
PARTS = Table(
    "parts",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(50)),
    Column("token", GUID),
    Column("made_at", UTCDateTime),
    Column("digest", LargeBinary(32)),
    Column("details", JSONDocument),
    Column("weight", Float),
    Column("sold", Boolean),
    Column("place", String(10), server_default="shelf", nullable=False),
)
NAMES = [column.name for column in PARTS.c if column.name != "place"]
ADD = BulkInsert(PARTS, NAMES)
ADD_ONE = Statement(insert(PARTS).values({name: bindparam(f"new_{name}") for name in NAMES}))
ALL = Statement(select(PARTS).order_by(PARTS.c.id))


def part(number: int, **other: Any) -> Row:
    """Return a row with a value of each type."""
    return {
        "id": number,
        "name": f"bolt 'M{number}' \u2713",
        "token": UUID(int=number),
        "made_at": datetime(2026, 11, 29, 6, 0, number % 60, 123456, tzinfo=UTC),
        "digest": bytes([number % 256]) * 32,
        "details": {"size": [number, 1.5], "steel": True, "note": None},
        "weight": number / 3,
        "sold": number % 2 == 0,
        **other,
    }


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


async def test_many_rows_are_stored_as_each_would_be(database: Database) -> None:
    """Rows of one bulk insert read back as rows that were inserted by themselves."""
    nothing = {name: None for name in NAMES if name != "id"}
    rows = [
        *(part(number) for number in range(100)),
        part(100, **nothing),
        part(101, details=[{"a": 1}, [2, 3], "b"]),
        part(102, details="text"),
    ]
    async with database.write() as session:
        await session.insert(ADD, rows)
    together = await database.read().all(ALL)
    assert together == [{**row, "place": "shelf"} for row in rows]
    async with database.write() as session:
        await session.one_or_none(ADD_ONE, **ADD.parameters(part(1000)))
    assert (await database.read().all(ALL))[-1] == {**part(1000), "place": "shelf"}


async def test_no_rows_are_no_statement(database: Database) -> None:
    """An empty list inserts nothing and begins no transaction."""
    async with database.write() as session:
        await session.insert(ADD, [])
    assert await database.read().all(ALL) == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [({"id": 1}, UniqueViolation), ({"name": "a\0b"}, DataRefused), ({"id": 2**63}, DataRefused)],
)
async def test_one_refused_row_stores_none(
    database: Database, bad: Row, error: type[Exception]
) -> None:
    """When the database refuses a row, the error is that of one insert; none is stored."""

    async def add() -> None:
        async with database.write() as session:
            await session.insert(ADD, [part(1), part(2), part(3, **bad)])

    with pytest.raises(error):
        await add()
    assert await database.read().all(ALL) == []


async def test_many_rows_need_a_transaction(database: Database) -> None:
    """An autocommit session, which runs one statement, refuses a bulk insert."""
    with pytest.raises(RuntimeError, match="WriteSession"):
        await database.autocommit().insert(ADD, [part(1)])
