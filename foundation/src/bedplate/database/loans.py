"""Loans: a connection for the length of a block, and where it goes afterwards."""

from types import TracebackType
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool, StaticPool

from bedplate.database.exceptions import CONNECTING, is_harmless
from bedplate.database.pool import Closing


class Lender(Protocol):
    """What connections come from; `FairPool` is one."""

    def lend_at_once(self) -> Any:
        """Return a holder of a connection, or None: then `lend` has to be asked."""

    async def lend(self) -> Any:
        """Return a holder of a connection, its `driver_connection`."""

    def take_back(self, entry: Any, *, healthy: bool) -> None:
        """Keep a connection, or close an unhealthy one in the background."""

    async def close(self) -> None:
        """Close the connections that are kept, and wait for those that are being closed."""


class Loan:
    """Lends the driver's connection to a block; one that failed or was cancelled isn't kept."""

    __slots__ = ("_entry", "_lender")

    def __init__(self, lender: Lender) -> None:
        self._lender = lender
        self._entry: Any = None

    async def __aenter__(self) -> Any:
        """Return the connection. Raises `DatabaseUnavailable`."""
        entry = self._lender.lend_at_once()
        if entry is None:
            with CONNECTING:
                entry = await self._lender.lend()
        self._entry = entry
        return entry.driver_connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lender.take_back(self._entry, healthy=error is None or is_harmless(error))


class EngineLoans:
    """Lends what SQLAlchemy's own pools keep: SQLite in memory, or an engine made elsewhere."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._closing = Closing()

    def lend_at_once(self) -> None:
        """Return None: the pool may have to connect."""

    async def lend(self) -> PoolProxiedConnection:
        """Return a connection. Raises what the pool and the driver raise."""
        return await self._engine.raw_connection()

    def take_back(self, entry: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool; close an unhealthy one in the background instead."""
        if isinstance(self._engine.pool, StaticPool) or (healthy and self._has_room()):
            # No transaction is open in SQLAlchemy's eyes, so this waits for nothing.
            entry.close()
            return
        leaving = entry.driver_connection
        entry.detach()
        if leaving is not None:
            self._closing.add(leaving.close())

    async def close(self) -> None:
        """Wait for the connections that are being closed; the engine closes the others."""
        await self._closing.wait()

    def _has_room(self) -> bool:
        """Return whether the pool keeps a connection that comes back; it can't close one here."""
        pool = self._engine.pool
        return isinstance(pool, QueuePool) and pool.checkedin() < pool.size()
