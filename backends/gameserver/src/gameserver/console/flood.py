"""A flood of lines is shown in part, with a notice of how many were left out."""

import asyncio
from collections.abc import Callable
from typing import Final

from bedplate import clock
from gameserver.console.lines import MANAGER, ConsoleLine

SECONDS: Final = 1.0


class FloodGate:
    """Lets so many lines a second through to those who watch.

    Who follows the game's state sees every line before it comes here; only the display is spared.
    Lines of importance always pass.
    """

    def __init__(self, most: int, show: Callable[[ConsoleLine], None]) -> None:
        self._most = most
        self._show = show
        self._count = 0
        self._left_out = 0
        self._timer: asyncio.TimerHandle | None = None

    def show(self, line: ConsoleLine, *, important: bool) -> None:
        """Show a line, or count it."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SECONDS, self._next_second)
        self._count += 1
        if important or self._count <= self._most:
            self._show(line)
        else:
            self._left_out += 1

    def close(self) -> None:
        """Give the notice that is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._count = 0
        if self._left_out:
            text = f"A flood: {self._left_out} lines were left out here."
            self._left_out = 0
            self._show(ConsoleLine(clock.now(), MANAGER, text))

    def _next_second(self) -> None:
        self._timer = None
        self.close()
