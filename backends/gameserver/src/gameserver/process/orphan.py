"""The game that a manager which was killed left running."""

import asyncio
import signal
from collections.abc import Callable

import structlog

from gameserver.process.ownership import WorldFile
from gameserver.process.stopping import KILL_SECONDS
from gameserver.process.tasks import Tasks


class Orphan:
    """Ends such a game, which gets `ask_seconds` to save the world.

    Its console is lost with its manager, so it can't be commanded any more: SIGTERM makes it save
    the world and end.
    """

    def __init__(self, world: WorldFile, tasks: Tasks, *, ask_seconds: float) -> None:
        self._world = world
        self._tasks = tasks
        self._ask_seconds = ask_seconds
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether one is being ended."""
        return self._ending is not None

    def end(self, ended: Callable[[str], None]) -> None:
        """Begin to end it; `ended` is told how that went, in a sentence."""
        self._ending = self._tasks.begin(self._end(ended))

    async def gone(self) -> None:
        """Return when there is none."""
        if self._ending is not None:
            await asyncio.wait({self._ending})

    async def kill(self) -> None:
        """Don't let it save the world."""
        if self._ending is not None:
            await self._world.signal_holders(signal.SIGKILL)

    async def _end(self, ended: Callable[[str], None]) -> None:
        structlog.get_logger().warning("orphan_found")
        try:
            saved = await self._world.end_holders(
                terminate_seconds=self._ask_seconds, kill_seconds=KILL_SECONDS
            )
            how = "was stopped; the world is saved" if saved else "had to be killed"
            ended(f"The game that an earlier manager left running {how}.")
        finally:
            self._ending = None
