"""Pools and connections as the settings want them."""

import asyncio
import gc
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import bindparam, select, text
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import Integer

from bedplate.database import Database, DatabaseURLError, Statement
from bedplate.database.engine import create_engine
from bedplate.database.pool import FairPool
from bedplate.settings import DatabaseSettings, Environment
from bedplate.testing.clock import SettableClock

OpenDatabase = Callable[..., Awaitable[Database]]
URL = "postgresql://app:secret@db.internal/app"
DOUBLE = Statement(select((bindparam("number", type_=Integer) * 2).label("doubled")))


@pytest.mark.parametrize(
    ("environment", "size", "overflow"),
    [(Environment.PRODUCTION, 10, 20), (Environment.DEVELOPMENT, 3, 5), (Environment.TEST, 3, 5)],
)
@pytest.mark.parametrize("url", [URL, "sqlite:///{folder}/app.db"])
def test_the_documented_defaults(
    environment: Environment, size: int, overflow: int, url: str, tmp_path: Path
) -> None:
    """Production keeps 10 and 20 more, development 3 and 5; 10 s to wait, an hour to live."""
    settings = DatabaseSettings(
        environment=environment, database_url=SecretStr(url.format(folder=tmp_path))
    )
    pool = create_engine(settings, application_name="test").pool
    assert isinstance(pool, FairPool)
    assert (pool.size(), pool._max_overflow, pool.timeout()) == (size, overflow, 10)
    if url == URL:
        assert pool._recycle == 3600


async def one(database: Database, query: str) -> Any:
    """Return the only value of a query, run on a connection of the pool."""
    async with database.borrow() as connection:
        if database.dialect.name == "postgresql":
            return await connection.fetchval(query)
        return next(iter(await connection.execute_fetchall(query)))[0]


@pytest.mark.parametrize("options", ["", "?options=-c%20TimeZone%3DAsia/Tokyo"])
async def test_connections_live_in_utc(
    open_database: OpenDatabase, postgres_url: str, options: str
) -> None:
    """Whatever the database's zone is, a column without one is read as what was written."""
    database = await open_database(f"{postgres_url}{options}")
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SHOW timezone")) == "UTC"


async def test_the_server_sees_the_application(postgres_url: str) -> None:
    """pg_stat_activity shows the backend's name, or the one that the URL gives."""
    shown = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    for url, name in ((postgres_url, "tasks"), (f"{postgres_url}?application_name=mine", "mine")):
        settings = DatabaseSettings(database_url=SecretStr(url))
        async with Database.open(settings, application_name="tasks") as database:
            assert await one(database, shown) == name


async def test_a_new_file_that_another_sets_up(open_database: OpenDatabase, tmp_path: Path) -> None:
    """Who comes second waits, though SQLite itself refuses at once to switch the log then."""
    file = tmp_path / "new.db"
    database = await open_database(f"sqlite:///{file}")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        mode = asyncio.create_task(one(database, "PRAGMA journal_mode"))
        done, _ = await asyncio.wait({mode}, timeout=0.2)
        assert not done
        other.execute("COMMIT")
        assert await mode == "wal"


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Keep the collector from closing what was forgotten."""
    gc.disable()
    yield
    gc.enable()


def times_open(file: Path) -> int:
    """Return how many descriptors of this process name a file."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            count += str(descriptor.readlink()) == os.path.realpath(file)
    return count


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
@pytest.mark.usefixtures("_no_collector")
async def test_a_file_whose_opening_is_cancelled_is_closed(tmp_path: Path) -> None:
    """Whenever the cancellation comes, no descriptor is left when the database is closed."""
    file = tmp_path / "app.db"
    settings = DatabaseSettings(database_url=SecretStr(f"sqlite:///{file}"))
    for turns in range(40):
        async with Database.open(settings, application_name="test") as database:
            task = asyncio.ensure_future(one(database, "PRAGMA journal_mode"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert times_open(file) == 0


async def test_sqlite_is_set_up_for_a_service(open_database: OpenDatabase, sqlite_url: str) -> None:
    """Every connection: write-ahead log, a bounded wait for locks, foreign keys enforced."""
    database = await open_database(sqlite_url, database_command_timeout_seconds=7)
    for pragma, value in (
        ("journal_mode", "wal"), ("busy_timeout", 7000), ("foreign_keys", 1), ("synchronous", 1)
    ):  # fmt: skip
        assert await one(database, f"PRAGMA {pragma}") == value


async def test_sqlite_can_be_safe_from_power_cuts(
    open_database: OpenDatabase, sqlite_url: str
) -> None:
    """With `full` every commit is synced, which is 2 in SQLite's numbers."""
    database = await open_database(sqlite_url, database_sqlite_synchronous="full")
    assert await one(database, "PRAGMA synchronous") == 2


async def test_the_folder_of_a_sqlite_file_is_made(
    open_database: OpenDatabase, tmp_path: Path
) -> None:
    """A first start needs no preparation."""
    database = await open_database(f"sqlite:///{tmp_path}/a/b/app.db")
    await database.ping()
    assert (tmp_path / "a" / "b" / "app.db").exists()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    """It is said at the start, in one sentence without the path."""
    (tmp_path / "file").write_text("")
    settings = DatabaseSettings(database_url=SecretStr(f"sqlite:///{tmp_path}/file/app.db"))
    with pytest.raises(DatabaseURLError, match="folder of the SQLite file") as refusal:
        create_engine(settings, application_name="test")
    assert str(tmp_path) not in str(refusal.value)


async def test_memory_is_one_database(open_database: OpenDatabase) -> None:
    """Without a file all connections are the same one, and a cancelled write doesn't lose it."""
    database = await open_database("sqlite://")
    assert isinstance(database.engine.pool, StaticPool)
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE visits (id INTEGER)"))
    assert await one(database, "SELECT count(*) FROM visits") == 0


@pytest.mark.parametrize("pooler", [True, False])
async def test_a_pooler_gets_no_prepared_statements(
    open_database: OpenDatabase, postgres_url: str, pooler: bool
) -> None:
    """The server keeps a prepared statement only where the next one meets the same server."""
    database = await open_database(postgres_url, database_pooler=pooler, database_pool_size=1)
    for number in range(3):
        row = await database.read().one_or_none(DOUBLE, number=number)
        assert row == {"doubled": number * 2}
    kept = await one(
        database, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS doubled'"
    )
    assert kept == (0 if pooler else 1)


async def test_only_a_connection_that_idled_is_tested(
    open_database: OpenDatabase, postgres_url: str, clock: SettableClock
) -> None:
    """Within a second no ping is sent, after a second one; none when it is switched off."""
    for pre_ping, expected in ((True, 1), (False, 0)):
        database = await open_database(
            postgres_url, database_pool_size=1, database_pre_ping=pre_ping
        )
        sent: list[str] = []
        async with database.borrow() as connection:
            connection.add_query_logger(lambda query, sent=sent: sent.append(query.query))
        await database.read().all(DOUBLE, number=1)
        assert "SELECT 1" not in sent
        clock.advance(seconds=1.5)
        await database.read().all(DOUBLE, number=1)
        assert sent.count("SELECT 1") == expected
