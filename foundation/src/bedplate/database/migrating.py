"""The connection that migrations run on: one transaction, without the bounds of requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_SQLITE_WAIT_MILLISECONDS = 600_000


@asynccontextmanager
async def migrating(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in a transaction that may take hours, as an index may.

    Raises RuntimeError when rows refer to nothing afterwards (SQLite).
    """
    bounds = _without_timeout if engine.dialect.name == "postgresql" else _without_foreign_keys
    async with engine.connect() as connection, bounds(connection), connection.begin():
        yield connection
        if engine.dialect.name == "sqlite":
            await _refuse_broken_references(connection)


@asynccontextmanager
async def _without_timeout(connection: AsyncConnection) -> AsyncIterator[None]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    # asyncpg has no public way to do it for one connection.
    driver._config = driver._config._replace(command_timeout=None)  # noqa: SLF001
    try:
        await connection.execute(text("SET statement_timeout = 0"))
        await connection.commit()
        yield
    finally:
        await connection.invalidate()


@asynccontextmanager
async def _without_foreign_keys(connection: AsyncConnection) -> AsyncIterator[None]:
    """Don't enforce foreign keys, and wait long for another process that migrates.

    Alembic changes a table by making another one, and dropping the old one would delete what refers
    to it.
    """
    bound = await _pragma(connection, "busy_timeout")
    await _pragma(connection, f"busy_timeout = {_SQLITE_WAIT_MILLISECONDS}")
    await _pragma(connection, "foreign_keys = OFF")
    try:
        yield
    finally:
        await _pragma(connection, "foreign_keys = ON")
        await _pragma(connection, f"busy_timeout = {bound}")


async def _pragma(connection: AsyncConnection, words: str) -> Any:
    # Past SQLAlchemy, for in a transaction it would have no effect.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    rows = list(await driver.execute_fetchall(f"PRAGMA {words}"))
    return rows[0][0] if rows else None


async def _refuse_broken_references(connection: AsyncConnection) -> None:
    broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
    if broken is not None:
        raise RuntimeError(f"After the migration {broken[0]} has rows that refer to nothing.")
