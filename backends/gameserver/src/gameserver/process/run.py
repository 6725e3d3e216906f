"""One run of the game: its process from the start to the end, and what the status shows of it."""

import asyncio
import signal

from gameserver.console.service import Console
from gameserver.process.child import Child
from gameserver.process.exit_reason import Cause, Ending, explain
from gameserver.process.program import Program
from gameserver.process.status_board import StatusBoard
from gameserver.process.stopping import StopLadder
from gameserver.process.tasks import Tasks
from gameserver.status import GameState, GameStatus


class Run:
    """A process that was started; the only one who speaks with it."""

    def __init__(
        self, child: Child, console: Console, board: StatusBoard, ladder: StopLadder, tasks: Tasks
    ) -> None:
        self._child = child
        self._console = console
        self._board = board
        self._ladder = ladder
        self._tasks = tasks
        self._stopping: asyncio.Task[None] | None = None
        self._reason: str | None = None
        """Why the manager ends it, if it does."""

    def begin(self, program: Program) -> None:
        """Show that it starts; from now on what the console tells is shown too."""
        self._board.show(
            GameStatus(
                GameState.STARTING,
                pid=self._child.pid,
                version=program.version,
                simulated=program.simulated,
            )
        )
        self._console.accept_commands(None, GameState.STARTING)
        self._board.announce("The game starts.")
        self._console.told = self._read_facts
        self._read_facts()  # it may have said something already

    def stop(self, reason: str) -> None:
        """Begin to bring it to its end, unless that has begun."""
        if self._stopping is None:
            self._stopping = self._tasks.begin(self._descend(reason))

    def kill(self, reason: str) -> None:
        """End it at once."""
        self._reason = reason
        self._child.signal(signal.SIGKILL)

    async def end(self) -> Ending:
        """Return how it ended, once it has."""
        code = await self._child.wait()
        self._console.accept_commands(None, GameState.STOPPED)
        self._console.end()
        facts, lines = self._console.facts.current, tuple(self._console.tail())
        if self._stopping is not None:
            await asyncio.wait({self._stopping})  # it knows how the game was brought to its end
        if self._reason is not None:
            return Ending(Cause.MANAGER, self._reason, code)
        if facts.stopped_on_purpose:
            return Ending(Cause.PLAYER, "The game was stopped from within.", code)
        return Ending(Cause.CRASH, explain(code, facts), code, lines)

    async def _descend(self, reason: str) -> None:
        try:
            listens = self._board.status.state is GameState.RUNNING
            self._board.become(GameState.STOPPING, reason=reason)
            self._board.announce(reason)
            self._reason = self._reason or reason
            more = await self._ladder.descend(self._child, self._console, listens=listens)
            if more is not None and self._reason == reason:
                self._reason = f"{reason.rstrip('.')}; {more}."
        finally:
            self._stopping = None

    def _read_facts(self) -> None:
        facts = self._console.facts.current
        state = self._board.status.state
        if state is GameState.STARTING and facts.ready_at is not None:
            self._board.become(GameState.RUNNING, port=facts.port, version=facts.version)
            self._console.accept_commands(self._child.write, GameState.RUNNING)
            self._board.announce("The game runs.")
        elif state in {GameState.STARTING, GameState.RUNNING} and facts.shuts_down:
            self._board.become(GameState.STOPPING, reason="The game shuts itself down.")
            self._console.accept_commands(None, GameState.STOPPING)
            self._board.announce("The game shuts itself down.")
