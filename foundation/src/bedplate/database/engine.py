"""The engine of a backend: SQLAlchemy's pool over asyncpg or aiosqlite, set up for services."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlalchemy.util import await_

from bedplate import clock
from bedplate.database.drivers import COMMAND_TIMEOUT, TRACED
from bedplate.database.json_containment import SQLITE_FUNCTION, contains_text
from bedplate.database.json_rows import SQLITE_FLOAT, read_float
from bedplate.database.pool import FairPool
from bedplate.database.urls import DatabaseURL, DatabaseURLError, parse_database_url
from bedplate.settings import DatabaseSettings

_PING_AFTER_IDLE_SECONDS = 1.0
_PING_TIMEOUT_SECONDS = 2.0
_LOCKED_SECONDS = 0.01
_PRIMARY_CODE = 0xFF  # of SQLite's extended result codes
_RETURNED_AT = "bedplate.returned_at"


def create_engine(settings: DatabaseSettings, *, application_name: str) -> AsyncEngine:
    """Return an engine; make a SQLite file's folder. Raises `DatabaseURLError`."""
    target = parse_database_url(
        settings.database_url.get_secret_value(), pooler=settings.database_pooler
    )
    if target.sqlite:
        return _sqlite_engine(target, settings)
    return _postgresql_engine(target, settings, application_name)


def _postgresql_engine(
    target: DatabaseURL, settings: DatabaseSettings, application_name: str
) -> AsyncEngine:
    from_url = target.connect_args.get("server_settings", {})
    arguments = {
        "timeout": settings.database_connect_timeout_seconds,
        "command_timeout": settings.database_command_timeout_seconds,
        **target.connect_args,
        # A column without a time zone holds UTC here: no comparison may read it in another.
        "server_settings": {"application_name": application_name, **from_url, "timezone": "UTC"},
    }
    engine = create_async_engine(
        target.url,
        connect_args=arguments,
        pool_recycle=settings.database_pool_recycle_seconds,
        pool_use_lifo=True,
        execution_options={TRACED: settings.otel_enabled},
        **_pool_options(settings),
    )
    if settings.database_pre_ping:
        _ping_idle_connections(engine)
    return engine


def _pool_options(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "poolclass": FairPool,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout_seconds,
    }


def _ping_idle_connections(engine: AsyncEngine) -> None:
    """Test a connection before use, but spend a round trip only on one that idled."""

    @event.listens_for(engine.sync_engine, "checkin")
    def remember_return(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_RETURNED_AT] = clock.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_dead(connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        returned_at = entry.info.get(_RETURNED_AT)
        if returned_at is None or clock.monotonic() - returned_at < _PING_AFTER_IDLE_SECONDS:
            return
        try:
            connection.run_async(lambda c: c.execute("SELECT 1", timeout=_PING_TIMEOUT_SECONDS))
        except Exception as error:
            raise InvalidatePoolError from error


def _switch_to_wal(cursor: Any, seconds: float) -> None:
    """Wait while others set the same new file up; SQLite itself would refuse at once."""
    deadline = clock.monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not locked or clock.monotonic() > deadline:
                raise
        else:
            return
        await_(asyncio.sleep(_LOCKED_SECONDS))


async def _open_file(*args: Any, **kwargs: Any) -> aiosqlite.Connection:
    """Open a SQLite file; when that is cancelled, close what the driver's thread opens even so."""
    connection = aiosqlite.connect(*args, **kwargs)
    # A connection that nobody closed must not keep the process from ending.
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does
    opening = asyncio.ensure_future(_opened(connection))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        closing = asyncio.ensure_future(_close(opening))
        while not closing.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({closing})
        raise


async def _opened(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    return await connection


async def _close(opening: "asyncio.Future[aiosqlite.Connection]") -> None:
    with contextlib.suppress(sqlite3.Error):
        await (await opening).close()


def _sqlite_engine(target: DatabaseURL, settings: DatabaseSettings) -> AsyncEngine:
    pool: dict[str, Any] = {"poolclass": StaticPool}
    if not target.in_memory:
        pool = _pool_options(settings)
        try:
            Path(str(target.url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"The folder of the SQLite file can't be made: {error.strerror}."
            raise DatabaseURLError(reason) from None
    # A connection comes back without a transaction, so none needs to be ended.
    engine = create_async_engine(
        target.url,
        pool_reset_on_return=None,
        connect_args={"async_creator_fn": _open_file},
        execution_options={
            COMMAND_TIMEOUT: settings.database_command_timeout_seconds,
            TRACED: settings.otel_enabled,
        },
        **pool,
    )
    busy_milliseconds = int(settings.database_command_timeout_seconds * 1000)

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: ConnectionPoolEntry) -> None:
        # Transactions are begun by us, not guessed by the driver from the statement's first word.
        connection.isolation_level = None
        connection.create_function(SQLITE_FUNCTION, 2, contains_text, deterministic=True)
        connection.create_function(SQLITE_FLOAT, 1, read_float, deterministic=True)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_milliseconds}")
        _switch_to_wal(cursor, settings.database_command_timeout_seconds)
        cursor.execute(f"PRAGMA synchronous = {settings.database_sqlite_synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        # Two writers that begin as readers can't both become writers.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
