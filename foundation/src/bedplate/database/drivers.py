"""How statements reach a driver's own connection."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from hashlib import sha256
from typing import Any, TypeVar, cast

import aiosqlite
import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import StaticPool

from bedplate.database.exceptions import DataRefused, LockTimeout
from bedplate.tracing import Attributes, client_span

TESTED = "0.32."
"""The releases of asyncpg whose prepared statements are run without its wrappers."""
PREPARED = asyncpg.__version__.startswith(TESTED)

COMMAND_TIMEOUT = "bedplate_command_timeout"
"""The execution option of a SQLite engine that bounds each statement, in seconds."""
TRACED = "bedplate_traced"
"""The execution option of an engine whose statements have spans."""

T = TypeVar("T")
_log = structlog.get_logger("bedplate.database")
_COMMAND_SECONDS = 10.0
_NOTHING_WAS_STORED = (
    "A statement of this transaction failed before and its error was not passed on, so PostgreSQL "
    "rolled everything back."
)


class Driver(ABC):
    """How statements reach one kind of driver connection."""

    begin: str
    keeps_connections = False

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @abstractmethod
    async def fetch(self, connection: Any, text: str, arguments: list[Any]) -> Sequence[Any]:
        """Return all records of a statement."""

    async def execute(self, connection: Any, text: str) -> None:
        """Run a command without parameters or records, as BEGIN is one."""
        await self.fetch(connection, text, [])

    @abstractmethod
    async def execute_many(
        self, connection: Any, text: str, arguments: Sequence[list[Any]]
    ) -> None:
        """Run a statement without records once for each list of arguments."""

    def turn(self, seconds: float | None) -> AbstractAsyncContextManager[None] | None:  # noqa: ARG002
        """Return what waits for the turn to write; None where writers wait for rows."""
        return None

    def lock_limit(self, seconds: float) -> str | None:  # noqa: ARG002
        """Return the command that bounds a transaction's waits for locks, if there is one."""
        return None

    def named_lock(self, name: str) -> str | None:  # noqa: ARG002
        """Return the command that takes a lock until the transaction ends, if one is needed."""
        return None


class PostgreSQLDriver(Driver):
    """asyncpg. A statement that it has prepared is run without its wrappers: they cost as much."""

    begin = "BEGIN"

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        if not PREPARED:
            _log.warning(
                "statements_run_by_asyncpg", asyncpg=asyncpg.__version__, tested=f"{TESTED}*"
            )

    async def fetch(
        self, connection: asyncpg.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        """Return all records of a statement."""
        records: Sequence[Any]
        prepared = None
        if PREPARED and not connection._query_loggers:
            prepared = connection._stmt_cache.get((text, asyncpg.Record, False))
        if prepared is None:
            records = await connection.fetch(text, *arguments)
            return records
        try:
            # What `connection.fetch` ends in: six calls and two looks at the clock before it.
            records = await connection._protocol.bind_execute(
                prepared, arguments, "", 0, False, None
            )
        except asyncpg.OutdatedSchemaCacheError:
            await connection.reload_schema_state()
            raise
        except asyncpg.InvalidCachedStatementError:
            connection._drop_global_statement_cache()
            if connection._protocol.is_in_transaction():
                raise
            records = await connection.fetch(text, *arguments)
        return records

    async def execute(self, connection: asyncpg.Connection, text: str) -> None:
        """Run a command without parameters or records. Raises RuntimeError for a COMMIT in vain."""
        done = await connection.execute(text)
        # PostgreSQL answers a failed transaction's COMMIT with a roll-back, and without an error.
        if text == "COMMIT" and done == "ROLLBACK":
            raise RuntimeError(_NOTHING_WAS_STORED)

    async def execute_many(
        self, connection: asyncpg.Connection, text: str, arguments: Sequence[list[Any]]
    ) -> None:
        """Run a statement without records once for each list of arguments."""
        await connection.executemany(text, arguments)

    def lock_limit(self, seconds: float) -> str:
        """Return the command that bounds the waits of this transaction alone."""
        return f"SET LOCAL lock_timeout = {max(1, int(seconds * 1000))}"

    def named_lock(self, name: str) -> str:
        """Return the command that waits for an advisory lock, whose key is made from the name."""
        key = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
        return f"SELECT pg_advisory_xact_lock({key})"


class SQLiteDriver(Driver):
    """aiosqlite. The writers of a process queue up here, rather than poll the file's lock."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        # Without a file the one connection is the database.
        self.keeps_connections = isinstance(engine.pool, StaticPool)
        options = engine.get_execution_options()
        self._command_timeout: float = options.get(COMMAND_TIMEOUT, _COMMAND_SECONDS)
        self._writing = asyncio.Lock()

    async def fetch(
        self, connection: aiosqlite.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        """Return all records of a statement; when that is cancelled, it ends early."""
        if any(isinstance(value, str) and "\0" in value for value in arguments):
            raise DataRefused  # as PostgreSQL does
        rows = connection.execute_fetchall(text, tuple(arguments))
        return cast("Sequence[Any]", await self._within_timeout(connection, rows))

    async def execute_many(
        self, connection: aiosqlite.Connection, text: str, arguments: Sequence[list[Any]]
    ) -> None:
        """Run a statement without records once for each list of arguments."""
        if any(isinstance(value, str) and "\0" in value for row in arguments for value in row):
            raise DataRefused  # as PostgreSQL does
        await self._within_timeout(connection, connection.executemany(text, arguments))

    async def _within_timeout(self, connection: aiosqlite.Connection, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._command_timeout):
                return await work
        except (asyncio.CancelledError, TimeoutError):
            if not self.keeps_connections:
                await connection.interrupt()
            raise

    @contextlib.asynccontextmanager
    async def turn(self, seconds: float | None) -> AsyncIterator[None]:
        """Wait for the turn: SQLite has one writer. Raises `LockTimeout` after `seconds`."""
        try:
            async with asyncio.timeout(self._command_timeout if seconds is None else seconds):
                await self._writing.acquire()
        except TimeoutError:
            raise LockTimeout from None
        try:
            yield
        finally:
            self._writing.release()


class _Traced(Driver):
    """Gives each statement a span; its values stay out of it."""

    async def fetch(self, connection: Any, text: str, arguments: list[Any]) -> Sequence[Any]:
        with self._span(text):
            return await super().fetch(connection, text, arguments)  # type: ignore[safe-super]

    async def execute_many(
        self, connection: Any, text: str, arguments: Sequence[list[Any]]
    ) -> None:
        with self._span(text):
            await super().execute_many(connection, text, arguments)  # type: ignore[safe-super]

    def _span(self, text: str) -> AbstractContextManager[object]:
        operation = text.split(maxsplit=1)[0].upper()
        attributes: Attributes = {
            "db.system.name": self._engine.dialect.name,
            "db.operation.name": operation,
            "db.query.text": text,
        }
        return client_span(operation, attributes)


class _TracedPostgreSQLDriver(_Traced, PostgreSQLDriver):
    async def execute(self, connection: Any, text: str) -> None:
        with self._span(text):
            await super().execute(connection, text)


class _TracedSQLiteDriver(_Traced, SQLiteDriver):
    pass


def driver_of(engine: AsyncEngine) -> Driver:
    """Return how statements reach the driver of an engine."""
    traced = engine.get_execution_options().get(TRACED, False)
    if engine.dialect.name == "postgresql":
        return _TracedPostgreSQLDriver(engine) if traced else PostgreSQLDriver(engine)
    return _TracedSQLiteDriver(engine) if traced else SQLiteDriver(engine)
