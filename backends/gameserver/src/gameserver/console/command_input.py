"""The game's standard input: commands go in one at a time, each when the last one was read."""

import asyncio
import contextlib
from typing import Final, Protocol

from bedplate import clock
from gameserver.console.exceptions import ConsoleBusy

READ_SECONDS: Final = 10.0
"""How long the game may take to read a command before further ones are refused."""

SPACING_SECONDS: Final = 0.1
"""Pause after a command that the game has read, but not echoed."""

_POLL_SECONDS: Final = 0.005


class InputPipe(Protocol):
    """The pipe to the game's standard input."""

    def write(self, data: bytes) -> bool:
        """Write without waiting; return False when the game can't be reached."""
        ...

    def unread(self) -> int:
        """Return how many bytes the game has not read yet."""
        ...


class CommandInput:
    """Types commands into the console of one process.

    The game takes whatever one read of its console returns as one command, so a command that is
    written while an earlier one is unread becomes part of that one's arguments.
    """

    def __init__(self, pipe: InputPipe) -> None:
        self._pipe = pipe
        self._turn = asyncio.Lock()
        self._written_at = clock.monotonic()
        self._echoed = asyncio.Event()
        self._echoed.set()

    async def type(self, line: str) -> None:
        """Write a line once the game has read the one before. Raises `ConsoleBusy`."""
        async with self._turn:
            await self._until_read()
            self._echoed.clear()
            self._written_at = clock.monotonic()
            if not self._pipe.write(f"{line}\n".encode()):
                raise ConsoleBusy

    def take_echo(self) -> None:
        """Note that the game has echoed a command."""
        self._echoed.set()

    async def _until_read(self) -> None:
        while self._pipe.unread():
            if clock.monotonic() > self._written_at + READ_SECONDS:
                raise ConsoleBusy("The game doesn't read its console: this was not sent.")
            await asyncio.sleep(_POLL_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SPACING_SECONDS):
                await self._echoed.wait()
