"""Databases as a backend opens them, checked at the end for connections that were not returned."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData

from bedplate.database import Database
from bedplate.database.pool import FairPool
from bedplate.settings import DatabaseSettings

OpenDatabase = Callable[..., Awaitable[Database]]


@pytest.fixture(name="open_database")
async def _open_database() -> AsyncIterator[OpenDatabase]:
    """Give what opens the database of a URL, with settings, and makes tables in it."""
    async with AsyncExitStack() as stack:

        async def open_database(
            url: str, metadata: MetaData | None = None, **settings: Any
        ) -> Database:
            read = DatabaseSettings(database_url=SecretStr(url), **settings)
            database = await stack.enter_async_context(Database.open(read))
            stack.callback(_refuse_leak, database)
            if metadata is not None:
                async with database.engine.begin() as connection:
                    await connection.run_sync(metadata.create_all)
            return database

        yield open_database


def _refuse_leak(database: Database) -> None:
    pool = database.engine.pool
    if isinstance(pool, FairPool):
        assert pool.checkedout() == 0, "a connection was not returned"


@pytest.fixture
def checked_out() -> Callable[[Database], int]:
    """Give what counts the connections that a database has lent."""

    def count(database: Database) -> int:
        pool = database.engine.pool
        assert isinstance(pool, FairPool)
        return pool.checkedout()

    return count
