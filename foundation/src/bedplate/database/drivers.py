"""How statements reach a driver's own connection, and how the connection goes back to its pool."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol, cast

import aiosqlite
import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool, StaticPool

from bedplate.database.exceptions import lock_timeout, refused
from bedplate.database.pool import FairPool

COMMAND_TIMEOUT = "bedplate_command_timeout"
"""The execution option of a SQLite engine that bounds each statement, in seconds."""

_COMMAND_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_NOTHING_WAS_STORED = (
    "A statement of this transaction failed before and its error was not passed on, so PostgreSQL "
    "rolled everything back."
)


class Driver(Protocol):
    """How statements reach one kind of driver connection."""

    begin: str
    keeps_connections: bool

    async def fetch(self, connection: Any, text: str, arguments: list[Any]) -> Sequence[Any]:
        """Return all records of a statement."""
        ...

    async def execute(self, connection: Any, text: str) -> None:
        """Run a command without parameters or records, as BEGIN is one."""
        ...

    def turn(self, seconds: float | None) -> contextlib.AbstractAsyncContextManager[None]:
        """Wait for the turn to write. Raises `LockTimeout` after `seconds`, or the usual bound."""
        ...

    def lock_limit(self, seconds: float) -> str | None:
        """Return the command that bounds a transaction's waits for locks, if there is one."""
        ...

    async def give_back(self, connection: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool, or drop it when it is not healthy.

        A dropped one leaves its place in the pool at once and is closed in the background.
        """
        ...

    async def close(self) -> None:
        """Wait for the connections that are being closed."""
        ...


class _Closing:
    """Connections that are on their way out."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, closing: Any) -> None:
        task = asyncio.ensure_future(_quietly(closing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks))


async def _quietly(closing: Any) -> None:
    with contextlib.suppress(Exception):
        await closing


class PostgreSQLDriver:
    """asyncpg."""

    begin = "BEGIN"
    keeps_connections = False

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._closing = _Closing()

    async def fetch(
        self, connection: asyncpg.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        """Return all records of a statement."""
        records: Sequence[Any] = await connection.fetch(text, *arguments)
        return records

    async def execute(self, connection: asyncpg.Connection, text: str) -> None:
        """Run a command without parameters or records.

        Raises RuntimeError when a COMMIT was none: PostgreSQL answers a failed transaction's
        COMMIT with a roll-back, and without an error.
        """
        done = await connection.execute(text)
        if text == "COMMIT" and done == "ROLLBACK":
            raise RuntimeError(_NOTHING_WAS_STORED)

    def turn(
        self,
        seconds: float | None,  # noqa: ARG002 - nobody waits
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """Go on at once: here transactions wait for rows, not for one another."""
        return contextlib.nullcontext()

    def lock_limit(self, seconds: float) -> str | None:
        """Return the command that bounds the waits of this transaction alone."""
        return f"SET LOCAL lock_timeout = {max(1, int(seconds * 1000))}"

    async def give_back(self, connection: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool, or drop it when it is not healthy."""
        if healthy and _has_room(self._engine):
            # No transaction is open in SQLAlchemy's eyes, so this waits for nothing.
            connection.close()
            return
        leaving = cast("asyncpg.Connection", connection.driver_connection)
        connection.detach()
        # An orderly close also tells the server to cancel what still runs.
        self._closing.start(leaving.close(timeout=_CLOSE_SECONDS))

    async def close(self) -> None:
        """Wait for the connections that are being closed."""
        await self._closing.wait()


class SQLiteDriver:
    """aiosqlite. The writers of a process queue up here, rather than poll the file's lock."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, engine: AsyncEngine, *, in_memory: bool, command_timeout: float) -> None:
        self._engine = engine
        # Without a file the one connection is the database.
        self.keeps_connections = in_memory
        self._command_timeout = command_timeout
        self._writing = asyncio.Lock()
        self._closing = _Closing()

    async def fetch(
        self, connection: aiosqlite.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        """Return all records of a statement; when that is cancelled, it ends early."""
        if any(isinstance(value, str) and "\0" in value for value in arguments):
            raise refused()  # as PostgreSQL does
        return await self._run(connection, text, arguments)

    async def execute(self, connection: aiosqlite.Connection, text: str) -> None:
        """Run a command without parameters or records."""
        await self._run(connection, text, [])

    async def _run(
        self, connection: aiosqlite.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        try:
            async with asyncio.timeout(self._command_timeout):
                rows = await connection.execute_fetchall(text, tuple(arguments))
        except (asyncio.CancelledError, TimeoutError):
            if not self.keeps_connections:
                await connection.interrupt()
            raise
        return cast("Sequence[Any]", rows)

    @contextlib.asynccontextmanager
    async def turn(self, seconds: float | None) -> AsyncIterator[None]:
        """Wait for the turn to write: SQLite has one writer at a time."""
        try:
            async with asyncio.timeout(self._command_timeout if seconds is None else seconds):
                await self._writing.acquire()
        except TimeoutError:
            raise lock_timeout() from None
        try:
            yield
        finally:
            self._writing.release()

    def lock_limit(self, seconds: float) -> str | None:  # noqa: ARG002
        """Return None: all the waiting is for the turn to write."""
        return None

    async def give_back(self, connection: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool, or drop it when it is not healthy."""
        if self.keeps_connections or (healthy and _has_room(self._engine)):
            connection.close()
            return
        leaving = cast("aiosqlite.Connection", connection.driver_connection)
        connection.detach()
        self._closing.start(leaving.close())

    async def close(self) -> None:
        """Wait for the connections that are being closed."""
        await self._closing.wait()


def _has_room(engine: AsyncEngine) -> bool:
    """Return whether the pool keeps a connection that comes back; it can't close one here."""
    pool = engine.pool
    if isinstance(pool, FairPool) and pool.awaited:
        return True
    return not isinstance(pool, QueuePool) or pool.checkedin() < pool.size()


def driver_of(engine: AsyncEngine) -> Driver:
    """Return how statements reach the driver of an engine."""
    if engine.dialect.name == "postgresql":
        return PostgreSQLDriver(engine)
    options = engine.get_execution_options()
    return SQLiteDriver(
        engine,
        in_memory=isinstance(engine.pool, StaticPool),
        command_timeout=options.get(COMMAND_TIMEOUT, _COMMAND_SECONDS),
    )
