"""A database in which nothing that a test does stays, on both databases."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import bindparam, column, func, insert, select, table, text

from bedplate.database.sessions import Database
from bedplate.database.statements import Statement
from bedplate.settings import DatabaseSettings
from bedplate.testing.rollback import rolled_back

VISITS = table("visits", column("id"))
INSERT = Statement(insert(VISITS).values(id=bindparam("id")).returning(VISITS.c.id))
COUNT = Statement(select(func.count().label("count")).select_from(VISITS))
BROKEN = Statement(text("SELECT 1 FROM nothing"))


@pytest.fixture(name="stored")
async def _stored(database_url: str) -> AsyncIterator[Database]:
    settings = DatabaseSettings(database_url=SecretStr(database_url))
    async with Database.open(settings) as database:
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE visits (id integer PRIMARY KEY)"))
        yield database


async def visit(database: Database, number: int) -> None:
    """Commit a row, in the app's eyes."""
    async with database.write() as session:
        await session.all(INSERT, id=number)


async def visit_and_fail(database: Database, number: int) -> None:
    """Write a row, then fail, so that it must not be committed."""
    async with database.write() as session:
        await session.all(INSERT, id=number)
        raise ZeroDivisionError


async def count(database: Database) -> int:
    """Return how many rows there are."""
    row = await database.read().one_or_none(COUNT)
    assert row is not None
    number: int = row["count"]
    return number


async def test_what_the_app_commits_is_seen_and_then_undone(stored: Database) -> None:
    """Compiled statements and the ORM's session write to the same transaction."""
    async with rolled_back(stored) as database:
        await visit(database, 1)
        async with database.orm() as session:
            await session.execute(text("INSERT INTO visits VALUES (2)"))
            await session.commit()
        assert await count(database) == 2
    assert await count(stored) == 0


async def test_the_app_s_own_rollback_undoes_only_its_transaction(stored: Database) -> None:
    """What was committed before stays until the test ends."""
    async with rolled_back(stored) as database:
        await visit(database, 1)
        with pytest.raises(ZeroDivisionError):
            await visit_and_fail(database, 2)
        assert await count(database) == 1


async def test_a_failing_statement_spoils_nothing(stored: Database) -> None:
    """Neither a violated constraint nor a mistake in a read fails what follows."""
    async with rolled_back(stored) as database:
        await visit(database, 1)
        with pytest.raises(Exception, match=r"."):
            await visit(database, 1)
        with pytest.raises(Exception, match="nothing"):
            await database.read().all(BROKEN)
        assert await count(database) == 1


async def test_tasks_take_turns(stored: Database) -> None:
    """Requests at the same time share the connection without mixing their transactions."""
    async with rolled_back(stored) as database:
        await asyncio.gather(*(visit(database, number) for number in range(20)))
        assert await count(database) == 20


async def test_a_read_within_a_write_does_not_wait_for_itself(stored: Database) -> None:
    """The task that has the connection may use it for both."""
    async with rolled_back(stored) as database, database.write() as session:
        await session.all(INSERT, id=1)
        assert await count(database) == 1


async def test_a_failing_test_is_undone_too(stored: Database) -> None:
    """The next test begins clean whatever happened."""

    async def fail() -> None:
        async with rolled_back(stored) as database:
            await visit(database, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count(stored) == 0
