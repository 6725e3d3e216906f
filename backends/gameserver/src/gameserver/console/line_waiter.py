"""Waiting for a line of the console."""

import asyncio
from collections.abc import Callable
from typing import Final

from gameserver.console.exceptions import GameNotRunning
from gameserver.console.lines import ConsoleLine

MAX_WAITING: Final = 1_000


class LineWaiter:
    """Keeps the lines that somebody waits for, from the moment it was made.

    More than 1000 that nobody takes displace the oldest.
    """

    def __init__(self, matches: Callable[[ConsoleLine], bool]) -> None:
        self._matches = matches
        self._found: asyncio.Queue[ConsoleLine | None] = asyncio.Queue()

    async def next(self, timeout: float) -> ConsoleLine:  # noqa: ASYNC109 - bound of a wait
        """Return the next line that matches.

        Raises `TimeoutError` after `timeout` seconds, `GameNotRunning` when the game ends.
        """
        async with asyncio.timeout(timeout):
            line = await self._found.get()
        if line is None:
            self.close()  # for whoever asks next
            raise GameNotRunning("stopped")
        return line

    def offer(self, line: ConsoleLine) -> None:
        """Keep the line when it matches."""
        if self._matches(line):
            if self._found.qsize() >= MAX_WAITING:
                self._found.get_nowait()
            self._found.put_nowait(line)

    def close(self) -> None:
        """Say that no line will follow."""
        self._found.put_nowait(None)
