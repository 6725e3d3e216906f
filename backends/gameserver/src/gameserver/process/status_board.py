"""The status of the game, and who waits for it to change."""

import asyncio
from dataclasses import replace
from typing import Any, Final

import structlog

from bedplate import clock
from gameserver.events import EventKind, Events
from gameserver.process.exit_reason import Ending
from gameserver.status import GameState, GameStatus

_EVENTS: Final = {
    GameState.STARTING: EventKind.STARTING,
    GameState.RUNNING: EventKind.RUNNING,
    GameState.STOPPING: EventKind.STOPPING,
    GameState.STOPPED: EventKind.STOPPED,
    GameState.CRASHED: EventKind.CRASHED,
}


class StatusBoard:
    """Shows the status. It changes on the event loop only."""

    def __init__(self, events: Events) -> None:
        self.status = GameStatus(GameState.STOPPED)
        self._events = events
        self._changed = asyncio.Event()

    def become(self, state: GameState, **changes: Any) -> None:
        """Begin a state; reason, last lines and next start are those given, or none."""
        fresh: dict[str, Any] = {"reason": None, "last_lines": (), "restart_at": None}
        self.show(replace(self.status, state=state, since=clock.now(), **{**fresh, **changes}))

    def end(self, state: GameState, ending: Ending, **changes: Any) -> None:
        """Begin a state without a process, after this ending."""
        self.become(
            state,
            pid=None,
            port=None,
            exit_code=ending.code,
            reason=ending.reason,
            last_lines=ending.lines,
            **changes,
        )

    def show(self, status: GameStatus) -> None:
        """Show a status, and wake whoever waits for one."""
        self.status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def announce(self, text: str) -> None:
        """Tell the log, and whoever listens to events, that the state which is shown began."""
        structlog.get_logger().info("game", state=self.status.state, reason=text)
        kind = _EVENTS.get(self.status.state)
        if kind is not None:
            self._events.publish(kind, text)

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
