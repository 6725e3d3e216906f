"""The status of the game, and who waits for it to change."""

import asyncio
from dataclasses import replace
from typing import Any

from bedplate import clock
from gameserver.process.state import GameState, GameStatus


class StatusBoard:
    """Shows the status. It changes on the event loop only."""

    def __init__(self) -> None:
        self.status = GameStatus(GameState.STOPPED)
        self._changed = asyncio.Event()

    def become(self, state: GameState, **changes: Any) -> None:
        """Begin a state; reason, last lines and next start are those given, or none."""
        fresh: dict[str, Any] = {"reason": None, "last_lines": (), "restart_at": None}
        self.show(replace(self.status, state=state, since=clock.now(), **{**fresh, **changes}))

    def show(self, status: GameStatus) -> None:
        """Show a status, and wake whoever waits for one."""
        self.status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_for(self, *states: GameState, seconds: float) -> GameStatus:
        """Return the status as soon as it is one of `states`. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while self.status.state not in states:
                await self._changed.wait()
        return self.status

    async def changed(self, status: GameStatus) -> GameStatus:
        """Return the status as soon as it is another than `status`."""
        while self.status is status:
            await self._changed.wait()
        return self.status
