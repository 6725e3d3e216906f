"""Waits until players have left, and warns those online. Ends when the game does."""

import asyncio
import contextlib
from itertools import pairwise
from typing import Final

from bedplate.jobs.exceptions import RunSkipped
from gameserver.console.exceptions import GameNotRunning
from gameserver.events import Events
from gameserver.process.game import Game
from gameserver.schedules.schemas import TIME, Warned
from gameserver.status import GameState

_DOWN: Final = frozenset(GameState) - {GameState.RUNNING}
_MINUTE: Final = 60
ANNOUNCED_WITHIN: Final = 0.1
"""Seconds to wait for a reply to an announcement, which has none."""


class Countdown:
    """Prepares players for the game's end. Raises `RunSkipped` when it goes down by itself."""

    def __init__(self, game: Game, events: Events, *, by: str) -> None:
        self._game = game
        self._events = events
        self._by = by
        self._pid = game.status.pid

    async def __call__(self, action: Warned) -> None:
        """Return when the game may go down. Raises `RunSkipped` when it did meanwhile."""
        self._require_running()
        if action.wait_until_empty:
            await self._until_empty(action.wait_seconds)
        for seconds, following in pairwise([*action.warn_seconds, 0]):
            if not len(self._game.console.online):
                return
            await self.announce(action.warning.replace(TIME, in_words(seconds)))
            with contextlib.suppress(TimeoutError):
                await self._game.wait_for(*_DOWN, timeout=seconds - following)
            self._require_running()

    async def announce(self, text: str) -> None:
        """Say something to everybody online. Raises `RunSkipped`."""
        try:
            await self._game.console.send(
                f"/announce {text}", by=self._by, wait=ANNOUNCED_WITHIN, allow_selectors=True
            )
        except GameNotRunning:
            raise stopped_meanwhile() from None

    async def _until_empty(self, seconds: float) -> None:
        happened = asyncio.Event()
        ignore = self._events.listen(lambda _: happened.set())
        try:
            async with asyncio.timeout(seconds):
                while len(self._game.console.online):
                    happened.clear()
                    await happened.wait()
                    self._require_running()
        except TimeoutError:
            pass
        finally:
            ignore()
        self._require_running()

    def _require_running(self) -> None:
        status = self._game.status
        if status.state is not GameState.RUNNING:
            raise stopped_meanwhile() if self._pid else RunSkipped("The game is not running.")
        if status.pid != self._pid:
            raise stopped_meanwhile()


def stopped_meanwhile() -> RunSkipped:
    """Return what ends a countdown whose game went down by itself."""
    return RunSkipped("The game went down meanwhile; nothing was done.")


def in_words(seconds: int) -> str:
    """Return a time as players read it: `10 min`, `90 s`."""
    return f"{seconds // _MINUTE} min" if seconds % _MINUTE == 0 else f"{seconds} s"
