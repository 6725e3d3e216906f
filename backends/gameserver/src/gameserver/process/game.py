"""The game as everybody else sees it: its status, its console, and what can be done to it."""

import contextlib
from collections.abc import AsyncIterator

from bedplate.jobs.background import Jobs
from gameserver.audit.service import Audit
from gameserver.console.service import Console
from gameserver.process.exceptions import GameNotStopped
from gameserver.process.lifecycle import Lifecycle
from gameserver.process.program import Programs
from gameserver.process.world_lock import START, WorldLock
from gameserver.status import GameState, GameStatus, StatusBoard


class Game:
    """The one game of this manager.

    Each request is audited and runs to its end, even if the caller is cancelled meanwhile.
    """

    def __init__(
        self,
        console: Console,
        board: StatusBoard,
        programs: Programs,
        lifecycle: Lifecycle,
        world: WorldLock,
        audit: Audit,
        jobs: Jobs,
    ) -> None:
        self.console = console
        self._board = board
        self._programs = programs
        self._lifecycle = lifecycle
        self._world = world
        self._audit = audit
        self._jobs = jobs

    @property
    def status(self) -> GameStatus:
        """What the game is doing."""
        return self._board.status

    @property
    def busy_with(self) -> str | None:
        """What has exclusive access to the world at the moment, in words."""
        return self._world.purpose

    async def start(self, *, by: str) -> None:
        """Start the game, and return when its process runs; `wait_for` waits until it is ready.

        Raises `GameAlreadyRunning`, `GameBusy`, `GameNotInstalled`, `StartRefused`,
        `StartCancelled`, `ManagerShuttingDown`.
        """
        self._lifecycle.check_at_rest()
        await self._jobs.finish(self._start(by), name="game_start")

    async def stop(self, *, by: str, reason: str, for_good: bool = True) -> None:
        """Stop the game, and return when its process is gone, or at once when there is none.

        A planned restart after a crash is cancelled. Unless the stop is `for_good`, the next
        manager starts the game again if this one is killed meanwhile. Raises
        `ProcessStillExiting`.
        """
        await self._jobs.finish(self._stop(by, reason, for_good=for_good), name="game_stop")

    async def restart(self, *, by: str, reason: str) -> None:
        """Stop the game if it runs, and start it. Raises what `start` raises."""
        await self._jobs.finish(self._restart(by, reason), name="game_restart")

    async def kill(self, *, by: str) -> None:
        """End the process at once, whatever else is in progress; what was not saved is lost.

        Raises `ProcessStillExiting` when the system can't end it.
        """
        await self._jobs.finish(self._kill(by), name="game_kill")

    async def wait_for(
        self,
        *states: GameState,
        timeout: float,  # noqa: ASYNC109 - bound of a wait
    ) -> GameStatus:
        """Return the status as soon as it is one of `states`. Raises `TimeoutError`."""
        return await self._board.wait_for(*states, seconds=timeout)

    @contextlib.asynccontextmanager
    async def exclusive(self, purpose: str, *, installing: bool = False) -> AsyncIterator[None]:
        """Have exclusive access to the world: within the context no process runs or starts.

        `purpose` says to others what they wait for: "a restore". With `installing` the status
        shows it. Raises `GameNotStopped`, `GameBusy`.
        """
        async with self._world.hold(purpose):
            if self._lifecycle.has_process:
                raise GameNotStopped(self.status.state)
            display = self._board.installing(purpose) if installing else contextlib.nullcontext()
            try:
                with display:
                    yield
            finally:
                await self._find_program()

    async def open(self, *, autostart: str) -> None:
        """Take over from an earlier manager; `autostart` as in `Lifecycle.resume`."""
        await self._find_program()
        await self._lifecycle.resume(autostart=autostart)

    async def close(self) -> None:
        """Stop the game, since the manager shuts down; the next one starts it again."""
        await self._lifecycle.shut_down()

    async def _find_program(self) -> None:
        program = await self._programs.find()
        self._board.set_program(
            installed=program is not None,
            version=program.version if program else None,
            simulated=program is not None and program.simulated,
            hint=self._programs.installation_hint(),
        )

    async def _start(self, by: str) -> None:
        stops = self._lifecycle.stops
        async with self._world.hold(START):
            self._lifecycle.check_at_rest()
            await self._audit.record(by, "start")
            await self._lifecycle.start(stops)

    async def _stop(self, by: str, reason: str, *, for_good: bool) -> None:
        await self._audit.record(by, "stop", reason=reason)
        if for_good:
            await self._lifecycle.remember_wanted(wanted=False)
        await self._lifecycle.stop(reason)
        await self._lifecycle.wait_for_planned_start()

    async def _restart(self, by: str, reason: str) -> None:
        async with self._world.hold("a restart"):
            await self._audit.record(by, "restart", reason=reason)
            stops = self._lifecycle.stops + 1  # the one that follows, and no other
            await self._lifecycle.stop(reason)
            await self._lifecycle.start(stops)

    async def _kill(self, by: str) -> None:
        try:
            await self._lifecycle.kill()
        finally:
            await self._lifecycle.remember_wanted(wanted=False)
            await self._audit.record(by, "kill")
