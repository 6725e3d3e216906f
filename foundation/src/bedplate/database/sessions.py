"""Sessions, of three types: what may be read and written, and in which transaction."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.drivers import driver_of
from bedplate.database.engine import create_engine
from bedplate.database.exceptions import TRANSLATING, is_harmless
from bedplate.database.loans import EngineLoans, Lender, Loan
from bedplate.database.pool import FairPool
from bedplate.database.shared_reads import SharedReads
from bedplate.database.statements import Row, Statement
from bedplate.settings import DatabaseSettings

MAX_ROWS_AT_ONCE = 1_000
"""Rows that are made of records before other requests may run: 3 ms of work."""

_log = structlog.get_logger("bedplate.database")


class ReadSession:
    """Runs SELECTs, each on a connection borrowed for it: one round trip, no BEGIN and ROLLBACK.

    A function that takes one also takes a `WriteSession`, and then reads within its transaction.
    """

    __slots__ = ("_database",)

    def __init__(self, database: "Database") -> None:
        self._database = database

    @property
    def dialect_name(self) -> str:
        """`postgresql` or `sqlite`, for the few statements that they word differently."""
        return self._database.dialect.name

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """Return every row. Raises `DatabaseUnavailable`, `DataRefused`."""
        async with self._database.borrow() as connection:
            return await self._database.run(connection, statement, parameters)

    async def one_or_none(self, statement: Statement, **parameters: Any) -> Row | None:
        """Return the first row, or None. Raises as `all` does."""
        rows = await self.all(statement, **parameters)
        return rows[0] if rows else None


class WriteSession(ReadSession):
    """A transaction on one connection, begun by its first statement.

    It is committed before the response leaves: when that fails, the client never gets a 2xx.
    """

    __slots__ = ("_after_commit", "_connection", "_ended", "_loan")

    def __init__(self, database: "Database") -> None:
        super().__init__(database)
        self._loan: AbstractAsyncContextManager[Any] | None = None
        self._connection: Any = None
        self._ended = False
        self._after_commit: list[Callable[[], object]] = []

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """Return every row of the statement, or of its RETURNING.

        Raises `DatabaseUnavailable`, `DataRefused`, or the violation of a constraint. On PostgreSQL
        a transaction is lost when one of its statements fails: pass the error on.
        """
        if self._connection is None or self._ended:
            await self._begin(self._database.begin)
        return await self._database.run(self._connection, statement, parameters)

    async def one(self, statement: Statement, **parameters: Any) -> Row:
        """Return the first row of a statement that always has one. Raises as `all` does."""
        return (await self.all(statement, **parameters))[0]

    async def insert(self, into: BulkInsert, rows: Sequence[Row]) -> list[Row]:
        """Insert rows, however many, in one round trip; return those of its `returning`.

        They come in no certain order. Raises as `all` does, and ValueError for two rows that would
        change the same stored one.
        """
        if not rows:
            return []
        if self._connection is None or self._ended:
            await self._begin(self._database.begin)
        return await self._database.insert(self._connection, into, rows)

    async def lock(self, name: str) -> None:
        """Hold the lock of this name until the transaction ends; begin it if need be.

        All transactions of one database that name the same lock take turns, whatever their
        process. On SQLite a transaction is alone as it is. Raises as `all` does.
        """
        lock = self._database.driver.named_lock(name)
        if self._connection is None:
            begin = self._database.begin
            await self._begin(f"{begin}; {lock}" if lock else begin)
        elif lock:
            await self._database.command(self._connection, lock)

    def after_commit(self, call: Callable[[], object]) -> None:
        """Call a function when the transaction is committed, and never when it isn't.

        For what others may only learn of when it is stored: an event, a message, a job. An
        exception of the function is logged: what is stored stays stored. It isn't awaited;
        `session.after_commit(lambda: jobs.start(send(mail), name="mail"))` starts what lasts.
        """
        self._after_commit.append(call)

    async def limit_waits(self, seconds: float) -> None:
        """Wait in this transaction at most so long for what others hold; begin it if need be.

        Without it a wait lasts as long as any statement may. Raises `LockTimeout` where the wait is
        for the turn to write (SQLite); on PostgreSQL later statements raise it.
        """
        limit = self._database.driver.lock_limit(seconds)
        if self._connection is None:
            begin = self._database.begin
            await self._begin(f"{begin}; {limit}" if limit else begin, seconds)
        elif limit:
            await self._database.command(self._connection, limit)

    async def _begin(self, command: str, lock_seconds: float | None = None) -> None:
        if self._ended:
            raise RuntimeError("The transaction has ended already.")
        loan = self._database.borrow_to_write(lock_seconds)
        connection = await loan.__aenter__()
        self._loan, self._connection = loan, connection
        await self._database.command(connection, command)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended = True
        if self._loan is None:
            self._finish(error)
            return
        try:
            if error is None:
                await self._database.command(self._connection, self._database.commit)
            elif is_harmless(error) or self._database.driver.keeps_connections:
                await self._database.command(self._connection, self._database.rollback)
            # Otherwise it goes with its connection: lost, or in the middle of a statement.
        except BaseException as failure:
            await self._loan.__aexit__(type(failure), failure, failure.__traceback__)
            if error is None or not isinstance(failure, Exception):
                raise
        else:
            await self._loan.__aexit__(kind, error, traceback)
            self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if error is None:
            self._call_after_commit()

    def _call_after_commit(self) -> None:
        for call in self._after_commit:
            try:
                call()
            except Exception as error:  # noqa: BLE001 - too late to fail the request
                _log.error("after_commit_failed", exc_info=error)
        self._after_commit.clear()


class AutocommitSession(WriteSession):
    """Runs at most one statement that writes, which the database commits by itself.

    This saves the round trips of BEGIN and COMMIT. An error that comes later doesn't undo the
    statement, and what it reads before or after is outside of any transaction.
    """

    __slots__ = ("_written",)

    def __init__(self, database: "Database") -> None:
        super().__init__(database)
        self._written = False

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """Return every row. Raises as `WriteSession.all`; RuntimeError for a second write."""
        if self._ended:
            raise RuntimeError("The session has ended already.")
        if not statement.writes:
            return await self._database.read().all(statement, **parameters)
        if self._written:
            raise RuntimeError(
                "An Autocommit runs one statement that writes: declare WriteSession in the route."
            )
        self._written = True
        async with self._database.borrow_to_write() as connection:
            rows = await self._database.run(connection, statement, parameters)
        self._call_after_commit()
        return rows

    async def insert(self, into: BulkInsert, rows: Sequence[Row]) -> list[Row]:  # noqa: ARG002
        """Raise `RuntimeError`: on SQLite many rows are many statements."""
        raise RuntimeError("Many rows need a transaction: declare WriteSession in the route.")

    async def lock(self, name: str) -> None:
        """Raise `RuntimeError`: there is no transaction that could hold the lock."""
        raise RuntimeError(f"An Autocommit has no transaction to hold the lock {name}.")

    def after_commit(self, call: Callable[[], object]) -> None:
        """Call a function when the statement is stored, as `WriteSession.after_commit` does.

        The function has to be given before the statement runs.
        """
        if self._written:
            raise RuntimeError("The statement ran already: give after_commit its function before.")
        super().after_commit(call)

    async def limit_waits(self, seconds: float) -> None:
        """Raise `RuntimeError`: there is no transaction whose waits could be limited."""
        raise RuntimeError(f"An Autocommit has no transaction to limit to {seconds} seconds.")


class Database:
    """The database of one backend: opened in the lifespan, found on its state.

    `borrow` and the three commands are the seam that `bedplate.testing` uses to roll a test back.
    """

    commit = "COMMIT"
    rollback = "ROLLBACK"

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.dialect = engine.dialect
        self.driver = driver_of(engine)
        self.begin = self.driver.begin
        self._engine_loans = EngineLoans(engine)
        self._read_session = ReadSession(self)
        self._pings = SharedReads(self._ping)

    @classmethod
    def open(cls, settings: DatabaseSettings, *, application_name: str = "bedplate") -> Self:
        """Return a database; the first statement connects. Raises `DatabaseURLError`."""
        return cls(create_engine(settings, application_name=application_name))

    def read(self) -> ReadSession:
        """Return the session for SELECTs."""
        return self._read_session

    def write(self) -> WriteSession:
        """Return a new transaction: use it as `async with database.write() as session`."""
        return WriteSession(self)

    def autocommit(self) -> AutocommitSession:
        """Return a session for one statement that writes: a context manager, as `write()` is."""
        return AutocommitSession(self)

    def orm(self) -> AsyncSession:
        """Return SQLAlchemy's own session, for what the ORM does best; commit it yourself."""
        return async_sessionmaker(self.engine, expire_on_commit=False)()

    async def ping(self) -> None:
        """Return when the database answers; all who ask at once share a connection.

        Raises `DatabaseUnavailable`.
        """
        await self._pings.get(None)

    async def _ping(self, _: None) -> None:
        async with self.borrow() as connection:
            await self.command(connection, "SELECT 1")

    async def close(self) -> None:
        """Close every connection."""
        await self._lender().close()
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def borrow(self) -> AbstractAsyncContextManager[Any]:
        """Lend a connection of the pool; one that failed or was cancelled doesn't go back.

        Entering it raises `DatabaseUnavailable`, also when no connection becomes free in time.
        """
        return Loan(self._lender())

    def borrow_to_write(
        self, lock_seconds: float | None = None
    ) -> AbstractAsyncContextManager[Any]:
        """Lend a connection when it is this writer's turn. Raises `LockTimeout`."""
        turn = self.driver.turn(lock_seconds)
        return self.borrow() if turn is None else self._borrow_within(turn)

    @contextlib.asynccontextmanager
    async def _borrow_within(self, turn: AbstractAsyncContextManager[None]) -> AsyncIterator[Any]:
        async with turn, self.borrow() as connection:
            yield connection

    def _lender(self) -> Lender:
        pool = self.engine.sync_engine.pool
        return pool if isinstance(pool, FairPool) else self._engine_loans

    async def run(
        self, connection: Any, statement: Statement, parameters: dict[str, Any]
    ) -> list[Row]:
        """Run a statement on a borrowed connection and return its rows."""
        compiled = statement.compiled(self.dialect)
        with TRANSLATING:
            arguments = compiled.arguments(parameters)
            records = await self.driver.fetch(connection, compiled.text, arguments)
        if len(records) <= MAX_ROWS_AT_ONCE:
            return [compiled.row(record) for record in records]
        rows: list[Row] = []
        for start in range(0, len(records), MAX_ROWS_AT_ONCE):
            if start:
                await asyncio.sleep(0)  # thousands of rows must not hold up other requests
            rows += [compiled.row(record) for record in records[start : start + MAX_ROWS_AT_ONCE]]
        return rows

    async def insert(self, connection: Any, into: BulkInsert, rows: Sequence[Row]) -> list[Row]:
        """Insert rows on a borrowed connection."""
        if self.dialect.name == "postgresql":
            return await self.run(connection, into.from_arrays, into.arrays(rows))
        if not into.plain:
            return await self.run(connection, into.on_sqlite, into.json(rows))
        compiled = into.on_sqlite.compiled(self.dialect)
        with TRANSLATING:
            arguments = [compiled.arguments(into.parameters(row)) for row in rows]
            await self.driver.execute_many(connection, compiled.text, arguments)
        return []

    async def command(self, connection: Any, text: str) -> None:
        """Run a command without parameters on a borrowed connection."""
        with TRANSLATING:
            await self.driver.execute(connection, text)
