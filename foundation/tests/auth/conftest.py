"""A database with the auth server's tables, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from bedplate.auth.tables import create_stand_in
from bedplate.database import Database
from bedplate.settings import DatabaseSettings


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database, with users and sessions that nobody wrote yet."""
    settings = DatabaseSettings.load(_env_file=None, database_url=database_url)
    async with Database.open(settings) as opened:
        await create_stand_in(opened.engine)
        yield opened
