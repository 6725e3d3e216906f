"""The line before a pool: whoever came first goes in first."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class WaitingLine(Generic[T]):
    """A limited number of places; who leaves one may hand something over to who comes next.

    `unclaimed` gets what was handed to somebody who just then gave up, along with the place.
    """

    def __init__(self, places: int, timeout: float, unclaimed: Callable[[T], None]) -> None:
        self._places = places
        self._free = places  # 0 while anybody waits
        self._timeout = timeout
        self._unclaimed = unclaimed
        self._line: deque[asyncio.Future[T | None]] = deque()

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._places - self._free

    @property
    def awaited(self) -> bool:
        """Whether somebody waits."""
        while self._line and self._line[0].done():
            self._line.popleft()
        return bool(self._line)

    def enter(self) -> bool:
        """Take a free place, and return whether there was one."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> T | None:
        """Take a place in turn, and return what was handed over. Raises TimeoutError."""
        turn: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(self._timeout):
                return await turn
        except BaseException:
            self._give_up(turn)
            raise

    def leave(self, handed_over: T | None = None) -> None:
        """Give a place to whoever waits longest, or free it: then nothing may be handed over."""
        if self.awaited:
            self._line.popleft().set_result(handed_over)
        else:
            self._free += 1

    def _give_up(self, turn: "asyncio.Future[T | None]") -> None:
        if turn.cancel() or turn.cancelled():
            return
        handed_over = turn.result()  # the turn came just then
        if handed_over is None:
            self.leave()
        else:
            self._unclaimed(handed_over)
