"""Reads that many ask for at the same time: they share one, and nobody gets an old answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SharedReads(Generic[Key, Value]):
    """Runs `read(key)` for all who ask at the same time.

    Who asks while a read is under way waits for the next one, which begins when that has ended: so
    what anybody gets was read after they asked. Nothing is kept when nobody asks.
    """

    def __init__(self, read: Callable[[Key], Awaitable[Value]]) -> None:
        self._read = read
        self._running: dict[Key, asyncio.Task[Value]] = {}
        self._next: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """Return what was read. Raises what `read` raises; one who leaves stops nobody's read."""
        if key not in self._running:
            task = self._running[key] = self._start(key, None)
        elif key not in self._next:
            task = self._next[key] = self._start(key, self._running[key])
        else:
            task = self._next[key]
        return await asyncio.shield(task)

    def _start(self, key: Key, earlier: asyncio.Task[Value] | None) -> asyncio.Task[Value]:
        task = asyncio.create_task(self._read_after(key, earlier), name="shared_read")
        task.add_done_callback(lambda _: self._end(key))
        return task

    async def _read_after(self, key: Key, earlier: asyncio.Task[Value] | None) -> Value:
        if earlier is not None:
            await asyncio.wait([earlier])
        return await self._read(key)

    def _end(self, key: Key) -> None:
        """Let those who wait for the next read have it become the one that runs."""
        ended = self._running.pop(key)
        if not ended.cancelled():
            ended.exception()  # it is known to those who waited, if there still are any
        if key in self._next:
            self._running[key] = self._next.pop(key)
