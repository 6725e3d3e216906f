"""The pool of an engine: connections go to those who wait for one, in turn."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any, Self

import asyncpg
from sqlalchemy import exc
from sqlalchemy.pool import Pool
from sqlalchemy.util import await_, greenlet_spawn

from bedplate import clock
from bedplate.database.waiting_line import WaitingLine

_CLOSE_SECONDS = 2.0
_PING_AFTER_IDLE_SECONDS = 1.0
_PING_TIMEOUT_SECONDS = 2.0
_RETURNED_AT = "bedplate.returned_at"

Entry = Any
"""SQLAlchemy's `_ConnectionRecord`: a connection as the driver has it, and what is known of it."""


class Closing:
    """Closes connections in the background; nobody has to wait for a server that hangs."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, closing: Coroutine[Any, Any, None]) -> None:
        """Close a connection with this coroutine; its errors are of no interest."""
        task = asyncio.create_task(self._quietly(closing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all that was added is closed."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _quietly(self, closing: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(Exception):
            await closing


class FairPool(Pool):
    """Lends connections to sessions by itself, and to SQLAlchemy for `orm()` and migrations.

    What a connection needs once, SQLAlchemy does when it connects. A loan of ours is then a few
    lines of Python: no greenlet, and no reset, as sessions end their transactions themselves.
    SQLAlchemy's own pools would also let newcomers overtake those who wait, for as long as the
    load lasts (its issue 7679).
    """

    _is_asyncio = True

    def __init__(
        self, creator: Any, pool_size: int, max_overflow: int, timeout: float, **options: Any
    ) -> None:
        super().__init__(creator, **options)
        self._size = pool_size
        self._max_overflow = max_overflow
        self._timeout = timeout
        self._line = WaitingLine(pool_size + max_overflow, timeout, self._do_return_conn)
        self._idle: list[Entry] = []
        self._open: set[Entry] = set()
        self._closing = Closing()
        self._disposed = False

    def lend_at_once(self) -> Entry | None:
        """Return a kept connection that needs no check; None where `lend` has to be asked."""
        idle = self._idle
        if not idle or not self._is_fresh(idle[-1]) or not self._line.enter():
            return None
        return idle.pop()

    async def lend(self) -> Entry:
        """Return a connection that works, in turn.

        Raises SQLAlchemy's TimeoutError when none becomes free in time, and the driver's errors.
        """
        entry = None if self._line.enter() else await self._turn()
        try:
            if entry is None and self._idle:
                entry = self._idle.pop()
            if entry is not None and await self._is_usable(entry):
                return entry
            return await self._connect()
        except BaseException:
            self._line.leave()
            raise

    def take_back(self, entry: Entry, *, healthy: bool) -> None:
        """Keep a connection for the next, or close it in the background; wait for nothing."""
        if not healthy:
            self._drop(entry)
        self._do_return_conn(entry)

    async def close(self) -> None:
        """Close the connections that nobody has, all at once; those on loan when they come back."""
        self._disposed = True
        while self._idle:
            self._drop(self._idle.pop())
        await self._closing.wait()

    def dispose(self) -> None:
        """Close the connections that nobody has, as SQLAlchemy asks for."""
        self._disposed = True
        while self._idle:
            entry = self._idle.pop()
            self._open.discard(entry)
            entry.close()

    def recreate(self) -> Self:
        """Return a new pool like this one, as SQLAlchemy asks for."""
        return type(self)(
            self._creator,
            pool_size=self._size,
            max_overflow=self._max_overflow,
            timeout=self._timeout,
            recycle=self._recycle,
            echo=self.echo,
            logging_name=self._orig_logging_name,
            reset_on_return=self._reset_on_return,
            _dispatch=self.dispatch,
            dialect=self._dialect,
            **self._more_options(),
        )

    def size(self) -> int:
        """Return how many connections are kept."""
        return self._size

    def timeout(self) -> float:
        """Return how many seconds the wait for a connection may last."""
        return self._timeout

    def checkedout(self) -> int:
        """Return how many connections are lent, or being made for somebody."""
        return self._line.taken

    def checkedin(self) -> int:
        """Return how many connections nobody has."""
        return len(self._idle)

    def overflow(self) -> int:
        """Return how many connections there are beyond the pool's size; below 0: are missing."""
        return self.checkedout() + self.checkedin() - self._size

    def status(self) -> str:
        """Return a sentence for SQLAlchemy's log."""
        return f"{self.checkedout()} connections are lent, {self.checkedin()} idle."

    def _do_get(self) -> Entry:
        return await_(self.lend())

    def _do_return_conn(self, entry: Entry) -> None:
        if entry.dbapi_connection is not None and self._keeps(entry):
            return
        self._drop(entry)
        self._line.leave()

    def _keeps(self, entry: Entry) -> bool:
        """Give a connection to whoever waits longest, or keep it; return whether it has a place."""
        if self._disposed:
            return False
        if self._line.awaited:
            self._note_return(entry)
            self._line.leave(entry)
            return True
        if len(self._idle) >= self._size:
            return False
        self._note_return(entry)
        self._idle.append(entry)
        self._line.leave()
        return True

    async def _turn(self) -> Entry:
        try:
            return await self._line.wait()
        except TimeoutError:
            raise exc.TimeoutError(
                f"All connections of the pool were in use for {self._timeout} s."
            ) from None

    async def _connect(self) -> Entry:
        """Make a connection; when that is cancelled, it is made all the same, and then closed.

        Neither SQLAlchemy nor aiosqlite closes what it was making when it is cancelled.
        """
        making = asyncio.ensure_future(greenlet_spawn(self._create_connection))
        try:
            entry = await asyncio.shield(making)
        except asyncio.CancelledError:
            self._closing.add(self._close_made(making))
            raise
        self._open.add(entry)
        return entry

    async def _close_made(self, making: "asyncio.Future[Entry]") -> None:
        await self._close((await making).driver_connection)

    def _drop(self, entry: Entry) -> None:
        """Close a connection in the background; its entry is empty then."""
        self._open.discard(entry)
        connection = entry.driver_connection
        entry.dbapi_connection = None
        if connection is not None:
            self._closing.add(self._close(connection))

    def _is_fresh(self, entry: Entry) -> bool:  # noqa: ARG002
        """Return whether a kept connection can be lent without a check."""
        return True

    async def _is_usable(self, entry: Entry) -> bool:  # noqa: ARG002
        """Return whether a kept connection can be lent; drop it otherwise."""
        return True

    def _note_return(self, entry: Entry) -> None:
        """Remember what the next loan has to know."""

    async def _close(self, connection: Any) -> None:
        await connection.close()

    def _more_options(self) -> dict[str, Any]:
        return {}


class PostgreSQLPool(FairPool):
    """Connections of asyncpg: they age, and may be dead."""

    # SQLAlchemy finds no option that can only be given by name.
    def __init__(self, creator: Any, ping_idle: bool = True, **options: Any) -> None:
        super().__init__(creator, **options)
        self._ping_idle = ping_idle

    async def close(self) -> None:
        """Close all connections at once, also those on loan."""
        for entry in self._open.difference(self._idle):
            self._closing.add(self._close(entry.driver_connection))
        await super().close()

    def _is_fresh(self, entry: Entry) -> bool:
        return (
            not entry.dbapi_connection.driver_connection.is_closed()
            and not self._is_outdated(entry)
            and (not self._ping_idle or self._was_used_just_now(entry))
        )

    async def _is_usable(self, entry: Entry) -> bool:
        if entry.driver_connection.is_closed():
            self._invalidate_all()
        if self._is_outdated(entry):
            self._drop(entry)
            return False
        return not self._ping_idle or await self._answers(entry)

    def _is_outdated(self, entry: Entry) -> bool:
        # As SQLAlchemy notes these times, and compares them for its own loans.
        too_old = -1 < self._recycle < time.time() - entry.starttime
        return bool(too_old or entry._is_hard_or_soft_invalidated())  # noqa: SLF001

    async def _answers(self, entry: Entry) -> bool:
        """Spend a round trip only on a connection that idled."""
        if self._was_used_just_now(entry):
            return True
        try:
            await entry.driver_connection.execute("SELECT 1", timeout=_PING_TIMEOUT_SECONDS)
        except BaseException as error:
            self._drop(entry)
            if not isinstance(error, Exception):
                raise
            self._invalidate_all()
            return False
        return True

    def _was_used_just_now(self, entry: Entry) -> bool:
        returned_at: float = entry.info[_RETURNED_AT]
        return clock.monotonic() - returned_at < _PING_AFTER_IDLE_SECONDS

    def _invalidate_all(self) -> None:
        """Let nobody else spend time on what is as old as a dead connection."""
        self._invalidate_time = time.time()

    def _note_return(self, entry: Entry) -> None:
        entry.info[_RETURNED_AT] = clock.monotonic()

    async def _close(self, connection: asyncpg.Connection) -> None:
        # An orderly close also tells the server to cancel what still runs.
        await connection.close(timeout=_CLOSE_SECONDS)

    def _more_options(self) -> dict[str, Any]:
        return {"ping_idle": self._ping_idle}
