"""Schema once a test worker, a copy for each test."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiosqlite
import asyncpg
import pytest

from bedplate.testing.databases import TemplateDatabase, TemplateFile
from bedplate.testing.postgres import PostgresServer


class Migration:
    """A migration that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, url: str) -> None:
        """Make one table."""
        self.runs += 1
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE visits (id int)")
        await connection.close()


async def insert(url: str) -> int:
    """Add a row and return how many there are."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("INSERT INTO visits VALUES (1)")
        count: int = await connection.fetchval("SELECT count(*) FROM visits")
        return count
    finally:
        await connection.close()


async def test_clones_share_the_schema_and_nothing_else(postgres_server: PostgresServer) -> None:
    """Migrations run once; what one clone commits, another does not see."""
    migration = Migration()
    with TemplateDatabase(postgres_server, migration) as template:
        first, second = template.clone(), template.clone()
        assert [await insert(first), await insert(second)] == [1, 1]
        template.drop(first)
        template.drop(second)
    assert migration.runs == 1


async def test_a_sealed_database_can_be_cloned_at_once(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    """A connection that a migration forgot would block every clone for five seconds."""
    forgotten = await asyncpg.connect(postgres_url)
    postgres_server.seal_database(postgres_url)
    postgres_server.drop_database(postgres_server.create_database(postgres_url))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await forgotten.execute("SELECT 1")


def failing() -> Callable[[str], Awaitable[None]]:
    """Return a migration with a mistake."""

    async def migrate(_: str) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    return migrate


async def test_a_failed_migration_leaves_no_database(postgres_server: PostgresServer) -> None:
    """Its error reaches the test, and the half-made template is gone."""
    query = "SELECT count(*) FROM pg_database"
    connection = await asyncpg.connect(postgres_server.url)
    before = await connection.fetchval(query)
    with pytest.raises(ZeroDivisionError):
        TemplateDatabase(postgres_server, failing()).clone()
    assert await connection.fetchval(query) == before
    await connection.close()


async def test_sqlite_copies_have_what_is_in_the_log(tmp_path: Path) -> None:
    """Rows that are still in the write-ahead log of the template are copied too."""
    open_connections: list[aiosqlite.Connection] = []

    async def migrate(url: str) -> None:
        connection = await aiosqlite.connect(url.removeprefix("sqlite+aiosqlite:///"))
        open_connections.append(connection)
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("CREATE TABLE visits (id int)")
        await connection.execute("INSERT INTO visits VALUES (7)")
        await connection.commit()

    (tmp_path / "second").mkdir()
    with TemplateFile(migrate) as template:
        urls = [template.clone(tmp_path), template.clone(tmp_path / "second")]
        for connection in open_connections:
            stopped = connection.stop()
            assert stopped is not None
            await stopped  # or SQLite removes its log while the template's folder is removed
    for url in urls:
        async with aiosqlite.connect(url.removeprefix("sqlite+aiosqlite:///")) as copy:
            rows = await (await copy.execute("SELECT id FROM visits")).fetchall()
            assert list(rows) == [(7,)]
    assert len(open_connections) == 1


def test_a_failed_sqlite_migration_reaches_the_test(tmp_path: Path) -> None:
    """No empty copy is handed out."""
    with pytest.raises(ZeroDivisionError):
        TemplateFile(failing()).clone(tmp_path)
    assert not list(tmp_path.iterdir())
