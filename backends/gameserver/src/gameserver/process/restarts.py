"""Starts of the game that no person asks for."""

import asyncio
from collections.abc import Awaitable, Callable

from gameserver.process.tasks import Tasks
from gameserver.process.world_lock import START, WorldLock

Step = Callable[[], Awaitable[None]]


class Restarts:
    """Makes at most one such start at a time, once nobody else has the world to himself."""

    def __init__(self, world: WorldLock, tasks: Tasks) -> None:
        self._world = world
        self._tasks = tasks
        self._planned: asyncio.Task[None] | None = None
        self._under_way: asyncio.Task[None] | None = None

    @property
    def is_planned(self) -> bool:
        """Whether a start is to come."""
        return self._planned is not None

    def plan(self, pause: Step, start: Step) -> None:
        """Start the game after a pause, and not as planned before. `start` has the world."""
        self.call_off()
        self._planned = self._tasks.begin(self._carry_out(pause, start))

    def call_off(self) -> None:
        """Forget the start that is planned; one under way has to notice by itself."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    async def settled(self, seconds: float) -> None:
        """Return when a start under way has let go of the world, or this time is up."""
        if self._under_way is not None:
            await asyncio.wait({self._under_way}, timeout=seconds)

    async def _carry_out(self, pause: Step, start: Step) -> None:
        await pause()
        async with self._world.hold(START, wait=True):
            self._under_way, self._planned = self._planned, None
            try:
                await start()
            finally:
                self._under_way = None
