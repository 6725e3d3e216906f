"""The migrations: up, down, and equal to the models."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, inspect

from bedplate.database import Database
from bedplate.database.identities import reusable_identities
from bedplate.database_state import migrations_of
from bedplate.testing.postgres import PostgresServer
from live.backend import backend
from live.settings import LiveSettings


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    """Give an empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('database')}/empty.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    async with Database.open(LiveSettings(_env_file=None, database_url=SecretStr(url))) as opened:
        yield opened
    if request.param == "postgresql":
        server.drop_database(url)


def test_no_identity_is_given_twice() -> None:
    """A client that still has a deleted row's id never meets another row there."""
    assert backend.metadata is not None
    assert reusable_identities(backend.metadata) == []


async def tables(database: Database) -> set[str]:
    """Return the names of all tables."""

    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    async with database.engine.connect() as connection:
        return await connection.run_sync(names)


async def test_they_go_up_and_down(empty: Database) -> None:
    """From nothing to the models' schema, and back to nothing, twice."""
    migrations = migrations_of(backend)
    assert migrations is not None
    for _ in range(2):
        await migrations.upgrade(empty.engine)
        assert await migrations.missing(empty.engine) == []
        assert await migrations.differences(empty.engine) == []
        await migrations.downgrade(empty.engine, "base")
        assert await tables(empty) == {"live_alembic_version"}
