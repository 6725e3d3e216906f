"""The auth server's tables, which are only read here.

They have their own metadata: no foreign key refers to them, and no backend migrates them.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    MetaData,
    Table,
    Text,
    inspect,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bedplate.auth.principal import VerifierUnusable
from bedplate.database import Database, Statement
from bedplate.database.types import GUID, UTCDateTime
from bedplate.problems import ProblemError

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

_NO_RIGHT = "42501"
_NO_TIME = ("42883", "42846")  # undefined function, cannot coerce


async def create_stand_in(engine: AsyncEngine) -> None:
    """Create the tables when there is no auth server: for embedded and development runs only."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class IsInFuture(ColumnElement[bool]):
    """A stored time is in the future, by the database's clock.

    PostgreSQL's column may have a time zone or hold naive UTC, whatever the connection's time zone
    is: seconds since 1970 are the same for both. SQLite accepts any ISO text, as SQLAlchemy or
    JavaScript write it.
    """

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column


@compiles(IsInFuture, "postgresql")
def _in_future_postgresql(element: IsInFuture, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"extract(epoch FROM {column}) > extract(epoch FROM now())"


@compiles(IsInFuture, "sqlite")
def _in_future_sqlite(element: IsInFuture, compiler: SQLCompiler, **kw: Any) -> str:
    return f"julianday({compiler.process(element.column, **kw)}) > julianday('now')"


async def check_tables(
    database: Database, statement: Statement, names: Mapping[str, Mapping[str, str]], **key: str
) -> None:
    """Run a verifier's query with a `key` that nobody has.

    `names` are the tables that it reads, and the columns of each, with the setting that names each
    (or how else to set it right). Raises `VerifierUnusable`, whose sentence names the table or
    column, and `DatabaseUnavailable`.
    """
    try:
        await database.read().one_or_none(statement, **key)
    except ProblemError:
        raise
    except Exception as error:
        async with database.engine.connect() as connection:
            missing = await connection.run_sync(_first_missing, names)
        raise VerifierUnusable(missing or _explanation(error, names)) from error


def _first_missing(connection: Connection, names: Mapping[str, Mapping[str, str]]) -> str | None:
    inspector = inspect(connection)
    for table, remedies in names.items():
        try:
            columns = {column["name"] for column in inspector.get_columns(table)}
        except NoSuchTableError:
            return f"the database has no table {table}: {remedies['']}"
        for column, remedy in remedies.items():
            if column and column not in columns:
                there = ", ".join(sorted(columns))
                return f"the table {table} has no column {column}, only {there}: {remedy}"
    return None


def _explanation(error: Exception, names: Mapping[str, Mapping[str, str]]) -> str:
    tables = " and ".join(names)
    state = getattr(error, "sqlstate", None)
    if state == _NO_RIGHT:
        grants = "; ".join(_grant(table, columns) for table, columns in names.items())
        return f"its role may not read {tables}: {grants}"
    kind = type(error).__name__
    if state in _NO_TIME:
        return (
            f"the query can't compare columns of {tables} ({kind}): the expiry must be a time, "
            "and the user's id the same type in both"
        )
    return f"{tables} can't be read ({kind})"


def _grant(table: str, columns: Mapping[str, str]) -> str:
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    quote = dialect.identifier_preparer.quote
    listed = ", ".join(quote(column) for column in columns if column)
    return f"GRANT SELECT ({listed}) ON {quote(table)} TO it"
