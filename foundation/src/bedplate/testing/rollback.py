"""A database whose changes are undone at the end of a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from bedplate.database.sessions import Database


@asynccontextmanager
async def rolled_back(database: Database) -> AsyncIterator[Database]:
    """Yield `database` for the app under test; at the end all its commits are undone.

    It takes less than a millisecond. There is only one connection, which tasks share one at a time:
    a test of concurrency, or with a second connection, needs a database of its own
    (`bedplate.testing.databases`). On PostgreSQL now() is the same during the whole test.
    """
    engine = database.engine
    async with engine.connect() as connection, connection.begin() as transaction:
        await connection.execute(text("SELECT 1"))  # drivers begin with a statement
        lent = (await connection.get_raw_connection()).driver_connection
        try:
            yield _OneConnection(engine, connection, lent)
        finally:
            await transaction.rollback()


class _OneConnection(Database):
    """A database whose transactions are savepoints in one that is never committed."""

    commit = "RELEASE SAVEPOINT of_the_app"
    rollback = "ROLLBACK TO SAVEPOINT of_the_app"

    def __init__(self, engine: AsyncEngine, connection: AsyncConnection, lent: Any) -> None:
        super().__init__(engine)
        self.begin = "SAVEPOINT of_the_app"
        self._connection = connection
        self._lent = lent
        self._lock = asyncio.Lock()
        self._borrower: asyncio.Task[Any] | None = None

    def orm(self) -> AsyncSession:
        """Return SQLAlchemy's own session; its commits are undone at the end too."""
        return AsyncSession(
            self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )

    async def close(self) -> None:
        """Do nothing: the test closes the engine."""

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Any]:
        """Lend the one connection, to one task at a time."""
        task = asyncio.current_task()
        if self._borrower is task:  # a read within a write
            yield self._lent
            return
        async with self._lock:
            self._borrower = task
            try:
                async with self._savepoint():
                    yield self._lent
            finally:
                self._borrower = None

    @asynccontextmanager
    async def _savepoint(self) -> AsyncIterator[None]:
        # On PostgreSQL all statements after a failed one would fail without it.
        await self.command(self._lent, "SAVEPOINT of_the_loan")
        try:
            yield
        except BaseException:
            await self.command(self._lent, "ROLLBACK TO SAVEPOINT of_the_loan")
            raise
        finally:
            await self.command(self._lent, "RELEASE SAVEPOINT of_the_loan")
