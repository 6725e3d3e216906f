"""What the game prints in reply: to a command, or as a line that somebody waits for."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gameserver.console.exceptions import GameNotRunning
from gameserver.console.lines import ConsoleLine

QUIET_SECONDS: Final = 0.08
"""A reply has ended when nothing of it followed for this long."""

MAX_LINES: Final = 1_000
MAX_WAITING: Final = 1_000
_ECHO: Final = "Handling Console Command"


def is_echo(line: ConsoleLine) -> bool:
    """Return whether the game says that it has taken a command from its console."""
    return line.authentic and line.level == "Notification" and line.text.startswith(_ECHO)


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The reply to a command.

    lines     untrusted text in the game's language; empty when the game said nothing in time
    echoed    whether the game has read the command; if not, it is busy and will read it later
    """

    lines: list[str]
    echoed: bool

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


class ReplyCollector:
    """Collects the reply to one command.

    The game doesn't mark replies. So a reply is every notification between the echo of the command
    and a moment of quiet, except what the game says on its own: joins and leaves, saves, phases.
    """

    def __init__(self, command: str) -> None:
        self._command = command.strip()
        self._echoed = self._is_chat = not self._command.startswith("/")
        self._lines: list[str] = []
        self._progress = asyncio.Event()

    def offer(self, line: ConsoleLine, *, routine: bool) -> None:
        """Take a line of the console; `routine` lines are what the game says on its own."""
        if routine or line.level != "Notification":
            return
        if is_echo(line):
            echo, _, others = line.text.partition("\n")
            if echo.removeprefix(_ECHO).strip() == self._command:
                self._echoed = True
                self._lines += others.split("\n") if others else []
        elif self._echoed and len(self._lines) < MAX_LINES:
            self._lines += line.text.split("\n")
            self._progress.set()

    async def collect(self, seconds: float) -> CommandReply:
        """Wait at most `seconds` for the reply, and return it. Chat has none."""
        if self._is_chat:
            return CommandReply([], echoed=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._progress.wait()
                while self._progress.is_set():
                    self._progress.clear()
                    await asyncio.sleep(QUIET_SECONDS)
        return CommandReply(self._lines[:MAX_LINES], self._echoed)


Matches = Callable[[str, str], bool]
"""Whether a line of this level and first line is waited for."""


class LineWaiter:
    """Collects the lines that match. Beyond 1,000 that nobody takes, the oldest is dropped."""

    def __init__(self, matches: Matches) -> None:
        self._matches = matches
        self._lines: asyncio.Queue[ConsoleLine | None] = asyncio.Queue()

    async def next(self, timeout: float) -> ConsoleLine:  # noqa: ASYNC109 - bound of a wait
        """Return the next match. Raises `TimeoutError`, and `GameNotRunning` when the game ends."""
        async with asyncio.timeout(timeout):
            line = await self._lines.get()
        if line is None:
            self.close()  # for the next call
            raise GameNotRunning("stopped")
        return line

    def matches(self, line: ConsoleLine) -> bool:
        """Return whether this line is waited for."""
        return self._matches(line.level or "", line.text.partition("\n")[0])

    def offer(self, line: ConsoleLine) -> None:
        """Keep the line if it matches."""
        if self.matches(line):
            if self._lines.qsize() >= MAX_WAITING:
                self._lines.get_nowait()
            self._lines.put_nowait(line)

    def close(self) -> None:
        """Wake whoever waits: no line will follow."""
        self._lines.put_nowait(None)
