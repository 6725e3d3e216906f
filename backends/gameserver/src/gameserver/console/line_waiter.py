"""Waiting for a line of the console."""

import asyncio
from collections.abc import Callable
from typing import Final

from gameserver.console.exceptions import GameNotRunning
from gameserver.console.lines import ConsoleLine

MAX_WAITING: Final = 1_000


class LineWaiter:
    """Collects the lines that match. Beyond 1,000 that nobody takes, the oldest is dropped."""

    def __init__(self, matches: Callable[[ConsoleLine], bool]) -> None:
        self._matches = matches
        self._lines: asyncio.Queue[ConsoleLine | None] = asyncio.Queue()

    async def next(self, timeout: float) -> ConsoleLine:  # noqa: ASYNC109 - bound of a wait
        """Return the next line that matches.

        Raises `TimeoutError` after `timeout` seconds, `GameNotRunning` when the game ends.
        """
        async with asyncio.timeout(timeout):
            line = await self._lines.get()
        if line is None:
            self.close()  # for the next call
            raise GameNotRunning("stopped")
        return line

    def offer(self, line: ConsoleLine) -> None:
        """Keep the line if it matches."""
        if self._matches(line):
            if self._lines.qsize() >= MAX_WAITING:
                self._lines.get_nowait()
            self._lines.put_nowait(line)

    def close(self) -> None:
        """Wake whoever waits: no line will follow."""
        self._lines.put_nowait(None)
