"""What follows the end of a process: it's shown and told, and the game starts again or not."""

import asyncio
from datetime import timedelta
from functools import partial

from bedplate import clock
from gameserver.console.service import Console
from gameserver.events import EventKind, Events
from gameserver.process.crashes import CrashCounter
from gameserver.process.exit_reason import Ending
from gameserver.process.restarts import Restarts, Step
from gameserver.process.status_board import StatusBoard
from gameserver.status import GameState


class Aftermath:
    """Shows and tells of endings; after a crash it plans the next start, or gives the game up."""

    def __init__(
        self,
        board: StatusBoard,
        console: Console,
        events: Events,
        crashes: CrashCounter,
        restarts: Restarts,
    ) -> None:
        self._board = board
        self._console = console
        self._events = events
        self._crashes = crashes
        self._restarts = restarts

    def stopped(self, ending: Ending) -> None:
        """Show an end that somebody wanted."""
        self._board.end(GameState.STOPPED, ending)
        self._board.announce(f"The game has stopped: {ending.reason}")

    def crashed(self, ending: Ending, start: Step) -> None:
        """Show a crash, and `start` the game again after a pause, unless it crashed too often."""
        pause = self._crashes.note(clock.now())
        if pause is None:
            self.crashed_for_good(ending)
            self._give_up(ending)
        else:
            self._show(ending, seconds=pause)
            self._restarts.plan(partial(asyncio.sleep, pause), start)

    def crashed_for_good(self, ending: Ending) -> None:
        """Show a crash after which the game stays down."""
        self._show(ending, seconds=None)

    def _show(self, ending: Ending, *, seconds: float | None) -> None:
        again = None if seconds is None else clock.now() + timedelta(seconds=seconds)
        self._board.end(GameState.CRASHED, ending, restart_at=again)
        self._console.say(f"The game crashed: {ending.reason}")
        self._board.announce(ending.reason)

    def _give_up(self, ending: Ending) -> None:
        text = f"The game crashed too often, and stays down. {ending.reason}"
        self._console.say(text)
        self._events.publish(EventKind.GAVE_UP, text, last_lines="\n".join(ending.lines[-5:]))
