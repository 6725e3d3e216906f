"""The migrations of the to-do API, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import inspect

from bedplate.auth.tables import create_stand_in
from bedplate.database import Database, Migrations
from bedplate.database.preparation import migrations_of
from bedplate.testing.postgres import PostgresServer
from tasks.backend import backend
from tasks.settings import TasksSettings

FOREIGN = {"users", "user_sessions"}


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give an empty SQLite database, not a migrated one."""
    return f"sqlite+aiosqlite:///{tmp_path}/empty.db"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give an empty PostgreSQL database, not a migrated one."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def migrations() -> Migrations:
    """Give the migrations that the backend declares."""
    found = migrations_of(backend)
    assert found is not None
    return found


def opened(url: str) -> Database:
    """Open a database by its URL."""
    return Database.open(TasksSettings(_env_file=None, database_url=SecretStr(url)))


async def tables(database: Database) -> set[str]:
    """Return the names of all tables."""
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def indexes(database: Database, table: str) -> dict[str, list[str | None]]:
    """Return the columns of each index of a table, by the name of the index."""
    async with database.engine.connect() as connection:
        found = await connection.run_sync(lambda sync: inspect(sync).get_indexes(table))
    return {str(index["name"]): index["column_names"] for index in found}


async def test_up_leads_to_the_models(database_url: str, migrations: Migrations) -> None:
    """After the migrations nothing differs from the models, and nothing is missing."""
    async with opened(database_url) as database:
        assert await migrations.missing(database.engine)
        await migrations.upgrade(database.engine)
        assert await migrations.missing(database.engine) == []
        assert await migrations.differences(database.engine) == []


async def test_down_leaves_nothing_of_ours_and_all_of_theirs(
    database_url: str, migrations: Migrations
) -> None:
    """Taking every migration back drops our tables, and not the auth server's."""
    async with opened(database_url) as database:
        await create_stand_in(database.engine)
        await migrations.upgrade(database.engine)
        assert await tables(database) == {
            "tasks",
            "idempotency_keys",
            "tasks_alembic_version",
            *FOREIGN,
        }
        await migrations.downgrade(database.engine, "base")
        assert await tables(database) == {"tasks_alembic_version", *FOREIGN}


async def test_the_auth_servers_tables_are_not_seen(
    database_url: str, migrations: Migrations
) -> None:
    """Tables of the auth server are no difference that a migration would remove."""
    async with opened(database_url) as database:
        await migrations.upgrade(database.engine)
        await create_stand_in(database.engine)
        assert await migrations.differences(database.engine) == []


async def test_indexes_serve_the_lists_and_none_stands_twice(
    database_url: str, migrations: Migrations
) -> None:
    """The lists have their indexes, named by the house's rule; none begins another."""
    async with opened(database_url) as database:
        await migrations.upgrade(database.engine)
        found = await indexes(database, "tasks")
    assert set(found) == {
        "tasks_user_id_created_at_id_idx",
        "tasks_user_id_completed_created_at_id_idx",
    }
    columns = list(found.values())
    assert all(a == b or a != b[: len(a)] for a in columns for b in columns)
