"""The migrations: up from nothing, down to nothing, and the auth server's tables left alone."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text

from bedplate.auth.hashed_sessions import HashedSessions
from bedplate.auth.tables import create_stand_in
from bedplate.database import Database
from bedplate.database.identities import reusable_identities
from bedplate.database.migrations import Migrations
from bedplate.database_state import migrations_of
from bedplate.testing.postgres import PostgresServer
from tasks.backend import backend
from tasks.models import Base
from tasks.settings import TasksSettings

OURS = {"tasks", "idempotency_keys", "audit_outbox", "tasks_alembic_version"}
THEIRS = {"users", "user_sessions"}


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
    settings = TasksSettings(_env_file=None, database_url=SecretStr(url))
    async with Database.open(settings) as database:
        yield database
    if request.param == "postgresql":
        server.drop_database(url)


@pytest.fixture
def migrations() -> Migrations:
    """Give the migrations of the API."""
    found = migrations_of(backend)
    assert found is not None
    return found


async def tables(database: Database) -> set[str]:
    """Return the names of all tables."""

    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    async with database.engine.connect() as connection:
        return await connection.run_sync(names)


async def indexes(database: Database) -> dict[str, list[tuple[str, list[str]]]]:
    """Return name and columns of each table's indexes, the primary key's and unique ones too."""

    def look(connection: Connection) -> dict[str, list[tuple[str, list[str]]]]:
        inspector = inspect(connection)
        found = {}
        for table in inspector.get_table_names():
            key = inspector.get_pk_constraint(table)
            found[table] = [(key["name"] or "", key["constrained_columns"])]
            for index in inspector.get_indexes(table):
                columns = [str(name) for name in index.get("expressions", index["column_names"])]
                found[table].append((index["name"] or "", columns))
        return found

    async with database.engine.connect() as connection:
        return await connection.run_sync(look)


async def test_they_go_up_and_down(empty: Database, migrations: Migrations) -> None:
    """From nothing to the models' schema, and back to nothing, twice."""
    for _ in range(2):
        assert await migrations.missing(empty.engine) == [
            "2026_11_21_create_tasks",
            "2026_11_29_create_audit_outbox",
            "2026_11_29_keep_identities",
            "2026_11_29_user_ids_as_text",
        ]
        await migrations.upgrade(empty.engine)
        assert await migrations.missing(empty.engine) == []
        assert await migrations.differences(empty.engine) == []
        assert await tables(empty) == OURS
        await migrations.downgrade(empty.engine, "base")
        assert await tables(empty) == {"tasks_alembic_version"}


async def test_the_auth_servers_tables_stay_as_they_are(
    empty: Database, migrations: Migrations
) -> None:
    """Users and sessions are neither made nor changed nor dropped, nor do they count as missing."""
    await create_stand_in(empty.engine)
    async with empty.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE users ADD COLUMN image text"))
    before = await schema_of(empty)
    await migrations.upgrade(empty.engine)
    assert await migrations.differences(empty.engine) == []
    assert await tables(empty) == OURS | THEIRS
    assert await schema_of(empty) == before
    await migrations.downgrade(empty.engine, "base")
    assert await schema_of(empty) == before


async def schema_of(database: Database) -> dict[str, str]:
    """Return columns, indexes and foreign keys of the auth server's tables."""

    def look(connection: Connection) -> dict[str, str]:
        inspector = inspect(connection)
        return {
            table: str(
                (
                    inspector.get_columns(table),
                    inspector.get_indexes(table),
                    inspector.get_unique_constraints(table),
                    inspector.get_foreign_keys(table),
                )
            )
            for table in sorted(THEIRS)
        }

    async with database.engine.connect() as connection:
        return await connection.run_sync(look)


async def test_tasks_of_uuids_keep_their_owners(empty: Database, migrations: Migrations) -> None:
    """The column becomes text and back; what stands in it is the same text, in both indexes."""
    await migrations.upgrade(empty.engine, "2026_11_29_keep_identities")
    owner = "6d2d1c1e-4b0c-4d7c-8f3c-6d2d1c1e4b0c"
    add = text(
        "INSERT INTO tasks (user_id, title, created_at, updated_at) VALUES "
        f"('{owner}', 'Milk', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')"
    )
    owners = text("SELECT CAST(user_id AS text) FROM tasks ORDER BY id")
    async with empty.engine.begin() as connection:
        await connection.execute(add)
    before = await indexes(empty)
    for revision in ("head", "2026_11_29_keep_identities", "head"):
        if revision == "head":
            await migrations.upgrade(empty.engine)
            assert await migrations.differences(empty.engine) == []
        else:
            await migrations.downgrade(empty.engine, revision)
        async with empty.engine.connect() as connection:
            assert (await connection.scalars(owners)).all() == [owner]
        assert sorted(await indexes(empty)) == sorted(before)
        assert sorted((await indexes(empty))["tasks"]) == sorted(before["tasks"])
    async with empty.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO tasks (user_id, title, created_at, updated_at) "
                "SELECT 'nPl1fBPKZJNVWVEdVHFgFZdbQjPGb1jQ', title, created_at, updated_at "
                "FROM tasks"
            )
        )
        assert len((await connection.scalars(owners)).all()) == 2


def test_no_identity_is_given_twice() -> None:
    """A client that still has a deleted task's id never meets another task there."""
    assert reusable_identities(Base.metadata) == []


async def test_no_foreign_key_leaves_the_tables(empty: Database, migrations: Migrations) -> None:
    """Users are referred to without foreign keys: their tables belong to another server."""
    await migrations.upgrade(empty.engine)

    def look(connection: Connection) -> list[object]:
        inspector = inspect(connection)
        return [key for table in OURS for key in inspector.get_foreign_keys(table)]

    async with empty.engine.connect() as connection:
        assert await connection.run_sync(look) == []


async def test_the_api_can_have_a_schema_of_its_own(
    postgres_server: PostgresServer, migrations: Migrations
) -> None:
    """As docs/better-auth.md says: a schema tool that empties `public` leaves the API's tables."""
    url = postgres_server.create_database()
    own = f"{url}?options=-csearch_path%3Dtasks_api,public"
    settings = TasksSettings(_env_file=None, database_url=SecretStr(url))
    in_schema = settings.model_copy(update={"database_url": SecretStr(own)})
    async with Database.open(settings) as database:
        await create_stand_in(database.engine)
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE SCHEMA tasks_api"))
    async with Database.open(in_schema) as database:
        await migrations.upgrade(database.engine)
        assert await migrations.missing(database.engine) == []
        assert await migrations.differences(database.engine) == []
        await HashedSessions(database, SecretStr("x" * 32)).check()
    async with Database.open(settings) as database:
        assert await tables(database) == THEIRS
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'tasks_api'")
            assert set(await connection.scalars(query)) == OURS
    postgres_server.drop_database(url)


async def test_no_index_is_there_twice(empty: Database, migrations: Migrations) -> None:
    """Each index has its own name, and none begins with all the columns of another."""
    await migrations.upgrade(empty.engine)
    found = await indexes(empty)
    # A key of SQLite's that never comes back has no name.
    assert {name for name, _ in found["tasks"]} - {"", "tasks_pkey"} == {
        "tasks_user_id_created_at_id_idx",
        "tasks_user_id_completed_created_at_id_idx",
    }
    for of_table in found.values():
        for name, columns in of_table:
            for other_name, others in of_table:
                assert name == other_name or others[: len(columns)] != columns
