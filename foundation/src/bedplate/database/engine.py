"""The engine of a backend: SQLAlchemy's pool over asyncpg or aiosqlite, set up for services."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool
from sqlalchemy.util import await_

from bedplate import clock
from bedplate.database.drivers import COMMAND_TIMEOUT, TRACED
from bedplate.database.json_containment import SQLITE_FUNCTION, contains_text
from bedplate.database.json_rows import SQLITE_FLOAT, read_float
from bedplate.database.pool import FairPool, PostgreSQLPool
from bedplate.database.urls import DatabaseURL, DatabaseURLError, parse_database_url
from bedplate.settings import DatabaseSettings

_LOCKED_SECONDS = 0.01
_PRIMARY_CODE = 0xFF  # of SQLite's extended result codes


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
    return create_async_engine(
        target.url,
        connect_args=arguments,
        pool_recycle=settings.database_pool_recycle_seconds,
        ping_idle=settings.database_pre_ping,
        execution_options={TRACED: settings.otel_enabled},
        **_pool_options(PostgreSQLPool, settings),
    )


def _pool_options(kind: type[FairPool], settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "poolclass": kind,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout_seconds,
    }


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


def _sqlite_engine(target: DatabaseURL, settings: DatabaseSettings) -> AsyncEngine:
    pool: dict[str, Any] = {"poolclass": StaticPool}
    if not target.in_memory:
        pool = _pool_options(FairPool, settings)
        try:
            Path(str(target.url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"The folder of the SQLite file can't be made: {error.strerror}."
            raise DatabaseURLError(reason) from None
    # A connection comes back without a transaction, so none needs to be ended.
    engine = create_async_engine(
        target.url,
        pool_reset_on_return=None,
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
