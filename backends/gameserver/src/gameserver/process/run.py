"""One run of the game, from its process' start to its exit: what the console says, what ends it."""

import asyncio
import signal
from dataclasses import dataclass, field

from bedplate.jobs.background import Jobs
from gameserver.console.service import Console
from gameserver.process.child import Child
from gameserver.process.exit_reason import (
    ExitKind,
    ExitReason,
    explain_crash,
    explain_stop,
    may_restart,
)
from gameserver.process.program import Program
from gameserver.process.stopping import StopLadder
from gameserver.status import Cause, GameState, StatusBoard


@dataclass(eq=False)
class Run:
    """A run of the game. Nothing else talks to its process."""

    console: Console
    board: StatusBoard
    ladder: StopLadder
    jobs: Jobs
    _child: Child = field(init=False)
    _stopping: asyncio.Task[None] | None = field(default=None, init=False)
    _stop_reason: str | None = field(default=None, init=False)
    """Why the manager ends the process, if it does."""

    def begin(self, child: Child, program: Program) -> None:
        """Show that `child` starts; from now on what its console says changes the status."""
        self._child = child
        self.board.become(
            GameState.STARTING,
            Cause.START,
            pid=child.pid,
            exit_code=None,
            port=None,
            version=program.version,
            simulated=program.simulated,
        )
        self.console.accept_commands(None, GameState.STARTING)
        self.board.announce("The game starts.")
        self.read_facts()  # it may have said something already

    def read_facts(self) -> None:
        """Change the status to what the console's facts say."""
        facts = self.console.facts.current
        state = self.board.status.state
        if state is GameState.STARTING and facts.ready_at is not None:
            self.board.become(
                GameState.RUNNING, Cause.CONSOLE, port=facts.port, version=facts.version
            )
            self.console.accept_commands(self._child, GameState.RUNNING)
            self.board.announce("The game runs.")
        elif state in {GameState.STARTING, GameState.RUNNING} and facts.shuts_down:
            reason = "The game shuts itself down."
            self.board.become(GameState.STOPPING, Cause.CONSOLE, reason=reason)
            self.console.accept_commands(None, GameState.STOPPING)
            self.board.announce(reason)

    def stop(self, reason: str) -> None:
        """Begin to stop the process, unless a stop is in progress."""
        if self._stopping is None:
            takes_commands = self.board.status.state is GameState.RUNNING
            self.board.become(GameState.STOPPING, Cause.STOP, reason=reason)
            self.board.announce(reason)
            self._stop_reason = self._stop_reason or reason
            work = self._descend(reason, takes_commands=takes_commands)
            self._stopping = self.jobs.start(work, name="game_stop_ladder")

    def kill(self, reason: str) -> None:
        """End the process at once."""
        self._stop_reason = reason
        self._child.signal(signal.SIGKILL)

    async def wait(self) -> ExitReason:
        """Return how the process ended, once it has."""
        code = await self._child.wait()
        self.console.accept_commands(None, GameState.STOPPED)
        await self.console.settle()
        self.console.end()
        facts, lines = self.console.facts.current, tuple(self.console.tail())
        if self._stopping is not None:
            await asyncio.wait({self._stopping})  # it adds what the stop took to the reason
        if self._stop_reason is not None:
            return ExitReason(ExitKind.MANAGER, self._stop_reason, code)
        if facts.stopped_on_purpose:
            return ExitReason(ExitKind.PLAYER, explain_stop(facts), code)
        text, hope = explain_crash(code, facts), may_restart(facts)
        return ExitReason(ExitKind.CRASH, text, code, lines, may_restart=hope)

    async def _descend(self, reason: str, *, takes_commands: bool) -> None:
        try:
            extra = await self.ladder.descend(
                self._child, self.console, takes_commands=takes_commands
            )
            if extra is not None and self._stop_reason == reason:
                self._stop_reason = f"{reason.rstrip('.')}; {extra}."
        finally:
            self._stopping = None
