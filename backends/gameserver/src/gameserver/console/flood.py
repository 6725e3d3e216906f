"""A flood of lines is shown in part, with a notice of how many were omitted."""

import asyncio
from collections.abc import Callable
from typing import Final

from bedplate import clock
from gameserver.console.lines import MANAGER, ConsoleLine

SECONDS: Final = 1.0


class FloodGate:
    """Passes at most `max_lines` a second to `show`; important lines always pass.

    Only what people see is limited: the game's state follows from every line, before it gets here.
    """

    def __init__(self, max_lines: int, show: Callable[[ConsoleLine], None]) -> None:
        self._max_lines = max_lines
        self._show = show
        self._count = 0
        self._omitted = 0
        self._timer: asyncio.TimerHandle | None = None

    def show(self, line: ConsoleLine, *, important: bool) -> None:
        """Show a line, or count it as omitted."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SECONDS, self.close)
        self._count += 1
        if important or self._count <= self._max_lines:
            self._show(line)
        else:
            self._omitted += 1

    def close(self) -> None:
        """End the second: show the notice that is due. The next line begins another."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._count = 0
        if self._omitted:
            text = f"A flood: {self._omitted} lines were omitted here."
            self._omitted = 0
            self._show(ConsoleLine(clock.now(), MANAGER, text))
