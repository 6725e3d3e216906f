"""The auth server's tables, as far as they are read here. Never migrated, never written.

They stand in a metadata of their own: no foreign key leads to them, and no backend's migrations
see them.
"""

from datetime import datetime

from sqlalchemy import Boolean, Column, ColumnElement, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import DateTime

from bedplate.database.types import GUID, UTCDateTime

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", GUID, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("id", GUID, primary_key=True),
    Column("user_id", GUID, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("refresh_token_hash", Text),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("ip_address", Text),
    Column("user_agent", Text),
    Column("created_at", UTCDateTime, nullable=False),
    Column("last_activity_at", UTCDateTime),
)


async def create_stand_in(engine: AsyncEngine) -> None:
    """Create the tables where no auth server did: for embedded and development runs only."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class database_now(ColumnElement[datetime]):  # noqa: N801 - reads as SQL in a statement
    """The database's own clock, comparable with a stored `UTCDateTime`."""

    inherit_cache = True
    type = DateTime(timezone=True)


@compiles(database_now, "postgresql")
def _now_postgresql(_: database_now, __: SQLCompiler, **___: object) -> str:
    return "now()"


@compiles(database_now, "sqlite")
def _now_sqlite(_: database_now, __: SQLCompiler, **___: object) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f', 'now')"
