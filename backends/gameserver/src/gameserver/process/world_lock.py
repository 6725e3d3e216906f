"""Exclusive access to the world: one holder at a time, and everybody else learns who it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from gameserver.process.exceptions import GameBusy

START: Final = "a start"
"""The purpose of whoever starts the game."""


class WorldLock:
    """Held by what must not be disturbed: a start, a restart, a restore, an update.

    purpose: what the present holder does, in words; None when it is free.
    """

    def __init__(self) -> None:
        self.purpose: str | None = None
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def hold(self, purpose: str, *, wait: bool = False) -> AsyncIterator[None]:
        """Hold the lock within the context. Without `wait`, raises `GameBusy` when it is held."""
        if self._lock.locked() and not wait:
            raise GameBusy(self.purpose or "something else")
        async with self._lock:
            self.purpose = purpose
            try:
                yield
            finally:
                self.purpose = None
