"""The auth server's tables, which are only read here.

They have their own metadata: no foreign key refers to them, and no backend migrates them.
"""

from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

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
    """Create the tables when there is no auth server: for embedded and development runs only."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class IsInFuture(ColumnElement[bool]):
    """A stored time is in the future, by the database's clock.

    `naive` is for PostgreSQL columns without a time zone that hold UTC. SQLite accepts any ISO
    text, as SQLAlchemy or JavaScript write it.
    """

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], *, naive: bool = False) -> None:
        self.column = column
        self.naive = naive


@compiles(IsInFuture, "postgresql")
def _in_future_postgresql(element: IsInFuture, compiler: SQLCompiler, **kw: Any) -> str:
    now = "timezone('UTC', now())" if element.naive else "now()"
    return f"{compiler.process(element.column, **kw)} > {now}"


@compiles(IsInFuture, "sqlite")
def _in_future_sqlite(element: IsInFuture, compiler: SQLCompiler, **kw: Any) -> str:
    return f"julianday({compiler.process(element.column, **kw)}) > julianday('now')"
