"""Statements that asyncpg has prepared are run without its wrappers, and behave as with them."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, func, select, text
from structlog.testing import capture_logs

from bedplate.database import Database, DatabaseUnavailable, Statement, drivers

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
LARKS = Table("larks", METADATA, Column("id", Integer, primary_key=True), Column("size", Integer))
SIZES = Statement(select(LARKS.c.size).where(LARKS.c.id == bindparam("id")))
SLEEP = Statement(select(func.pg_sleep(bindparam("seconds")).cast(Text).label("slept")))

pytestmark = pytest.mark.parametrize("prepared", [True, False])


@pytest.fixture
async def database(
    open_database: OpenDatabase, postgres_url: str, prepared: bool, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """Give a database with one connection and one row, run by prepared statements or not."""
    monkeypatch.setattr(drivers, "PREPARED", prepared)
    database = await open_database(
        postgres_url, METADATA, database_pool_size=1, database_command_timeout_seconds=0.3
    )
    async with database.engine.begin() as connection:
        await connection.execute(LARKS.insert(), [{"id": 1, "size": 7}])
    return database


async def size(database: Database) -> Any:
    """Return the size of the one lark."""
    row = await database.read().one_or_none(SIZES, id=1)
    return row and row["size"]


async def retyped(database: Database, kind: str) -> None:
    """Change the type of a column on another connection."""
    other = await asyncpg.connect(
        database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        await other.execute(f"ALTER TABLE larks ALTER size TYPE {kind}")
    finally:
        await other.close()


async def test_a_kept_statement_runs_by_itself(
    database: Database, prepared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its second time on a connection, a statement doesn't go through asyncpg's wrappers."""
    assert await size(database) == 7
    fetched = []
    original = asyncpg.Connection.fetch

    async def fetch(self: asyncpg.Connection, query: str, *arguments: Any) -> Any:
        fetched.append(query)
        return await original(self, query, *arguments)

    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch)
    assert await size(database) == 7
    assert len(fetched) == (0 if prepared else 1)


async def test_a_changed_table_is_noticed(database: Database) -> None:
    """After a migration a kept statement is prepared anew, and its next answer is right."""
    assert [await size(database) for _ in range(2)] == [7, 7]
    await retyped(database, "bigint")
    assert [await size(database) for _ in range(2)] == [7, 7]


async def test_a_changed_table_fails_a_transaction_once(database: Database) -> None:
    """A migration in the middle of a transaction fails it; the next one succeeds."""
    assert [await size(database) for _ in range(2)] == [7, 7]

    async def read_in_a_transaction() -> Any:
        async with database.write() as session:
            await session.all(Statement(text("SELECT 1 AS one").columns(Column("one", Integer))))
            row = await session.one_or_none(SIZES, id=1)
            return row and row["size"]

    await retyped(database, "bigint")
    with pytest.raises((DatabaseUnavailable, asyncpg.PostgresError)):
        await read_in_a_transaction()
    assert await read_in_a_transaction() == 7


async def test_a_kept_statement_has_its_time(database: Database) -> None:
    """A statement that takes longer than the command timeout is a 503, each time."""
    assert await database.read().all(SLEEP, seconds=0.0) == [{"slept": ""}]
    with capture_logs():
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await database.read().all(SLEEP, seconds=5.0)
    assert await size(database) == 7


async def test_a_query_logger_is_told_of_kept_statements(database: Database) -> None:
    """Who asks asyncpg to log queries sees all of them."""
    assert await size(database) == 7
    queries = []
    async with database.borrow() as connection:
        with connection.query_logger(lambda record: queries.append(record.query)):
            for _ in range(2):
                await database.run(connection, SIZES, {"id": 1})
    await database.ping()
    assert len(queries) == 2
