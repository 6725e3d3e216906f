"""The pool of an engine: connections go to those who wait for one, in turn."""

import asyncio
from collections import deque
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool, exc
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_

Entry = ConnectionPoolEntry | None
"""What comes with a place in the pool: a connection, or None when one has yet to be found."""


class FairPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool with a line before it; its overflow has to be bounded.

    By itself it lets whoever asks at the right moment overtake those who wait, for as long as the
    load lasts (SQLAlchemy's issue 7679), and a place whose connecting failed wakes nobody up.
    """

    def __init__(self, creator: Any, **options: Any) -> None:
        super().__init__(creator, **options)
        self._free = self.size() + self._max_overflow  # 0 while anybody waits
        self._line: deque[asyncio.Future[Entry]] = deque()

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for a connection."""
        while self._line and self._line[0].done():
            self._line.popleft()
        return bool(self._line)

    def _do_get(self) -> ConnectionPoolEntry:
        entry = self._take_place()
        if entry is not None:
            return entry
        try:
            return super()._do_get()
        except BaseException:
            self._pass_on(None)
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self.awaited:
            self._pass_on(record)
            return
        try:
            super()._do_return_conn(record)
        finally:
            self._pass_on(None)

    def _take_place(self) -> Entry:
        if self._free:
            self._free -= 1
            return None
        turn: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            return await_(self._within_timeout(turn))
        except BaseException:
            self._give_up(turn)
            raise

    async def _within_timeout(self, turn: asyncio.Future[Entry]) -> Entry:
        try:
            async with asyncio.timeout(self._timeout):
                return await turn
        except TimeoutError:
            raise exc.TimeoutError(
                f"All connections of the pool were in use for {self._timeout} s."
            ) from None

    def _give_up(self, turn: asyncio.Future[Entry]) -> None:
        if turn.cancel() or turn.cancelled():
            return
        entry = turn.result()  # the turn came just then
        if entry is None:
            self._pass_on(None)
            return
        if not self.awaited and self.checkedin() >= self.size():
            entry.invalidate()  # or it would be closed without a bound
        self._do_return_conn(entry)

    def _pass_on(self, entry: Entry) -> None:
        """Give a place to whoever waits longest."""
        if self.awaited:
            self._line.popleft().set_result(entry)
        else:
            self._free += 1
