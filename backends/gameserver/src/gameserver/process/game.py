"""The game as everybody else sees it: its status, its console, and what can be done to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from bedplate import clock
from bedplate.jobs.background import Jobs
from bedplate.problems import ProblemError
from gameserver.audit.service import Audit
from gameserver.console.service import Console
from gameserver.process.exceptions import GameBusy, GameNotStopped
from gameserver.process.launch import Launcher
from gameserver.process.lifecycle import Lifecycle
from gameserver.process.world_lock import START, WorldLock
from gameserver.status import AT_REST, GameState, GameStatus, StatusBoard

PATIENCE_SECONDS: Final = 900.0
"""How long to wait for other holders of the world: a backup of a large world takes minutes."""

_POLL_SECONDS: Final = 0.05


@dataclass(eq=False)
class Game:
    """The one game of this manager.

    Each request is audited and runs to its end, even if the caller is cancelled meanwhile.
    """

    console: Console
    board: StatusBoard
    launcher: Launcher
    lifecycle: Lifecycle
    world: WorldLock
    audit: Audit
    jobs: Jobs

    @property
    def status(self) -> GameStatus:
        """What the game is doing."""
        return self.board.status

    @property
    def busy_with(self) -> str | None:
        """What has exclusive access to the world at the moment, in words."""
        return self.world.purpose

    async def start(self, *, by: str) -> None:
        """Start the game, and return when its process runs; `wait_for` waits until it is ready.

        Raises `GameAlreadyRunning`, `GameBusy`, `GameNotInstalled`, `StartRefused`,
        `StartCancelled`, `ManagerShuttingDown`.
        """
        self.lifecycle.check_at_rest()
        await self.jobs.finish(self._start(by), name="game_start")

    async def stop(self, *, by: str, reason: str, for_good: bool = True) -> None:
        """Stop the game, and return when its process is gone, or at once when there is none.

        A planned restart is cancelled. Unless the stop is `for_good`, the next manager starts the
        game again if this one is killed meanwhile. Raises `ProcessStillExiting`.
        """
        await self.jobs.finish(self._stop(by, reason, for_good=for_good), name="game_stop")

    async def restart(self, *, by: str, reason: str) -> None:
        """Stop the game if it runs, and start it. Raises what `start` raises."""
        await self.jobs.finish(self._restart(by, reason), name="game_restart")

    async def kill(self, *, by: str) -> None:
        """End the process at once; what was not saved is lost. Raises `ProcessStillExiting`."""
        await self.jobs.finish(self._kill(by), name="game_kill")

    async def wait_for(
        self,
        *states: GameState,
        timeout: float,  # noqa: ASYNC109 - bound of a wait
    ) -> GameStatus:
        """Return the status as soon as it is one of `states`. Raises `TimeoutError`."""
        return await self.board.wait_for(*states, seconds=timeout)

    @contextlib.asynccontextmanager
    async def exclusive(self, purpose: str, *, installing: bool = False) -> AsyncIterator[None]:
        """Have exclusive access to the world: within the context no process runs or starts.

        `purpose` says to others what they wait for: "a restore". With `installing` the status
        shows it. Raises `GameNotStopped`, `GameBusy`.
        """
        async with self.world.hold(purpose):
            if self.lifecycle.has_process:
                raise GameNotStopped(self.status.state)
            display = self.board.installing(purpose) if installing else contextlib.nullcontext()
            try:
                with display:
                    yield
            finally:
                await self._find_program()

    async def open(self, *, autostart: str) -> None:
        """Take over from an earlier manager; `autostart` as in `Lifecycle.resume`."""
        await self._find_program()
        await self.lifecycle.resume(autostart=autostart)

    async def close(self) -> None:
        """Stop the game, since the manager shuts down; the next one starts it again."""
        await self.lifecycle.shut_down()

    async def _find_program(self) -> None:
        program = await self.launcher.find_program()
        self.board.set_program(
            installed=program is not None,
            version=program.version if program else None,
            simulated=program is not None and program.simulated,
            hint=await self.launcher.installation_hint() if program is None else None,
        )

    async def _start(self, by: str) -> None:
        stops = self.lifecycle.stops
        async with self.world.hold(START):
            self.lifecycle.check_at_rest()
            await self.audit.record(by, "start")
            await self.lifecycle.start(stops)

    async def _stop(self, by: str, reason: str, *, for_good: bool) -> None:
        await self.audit.record(by, "stop", reason=reason)
        if for_good:
            await self.lifecycle.remember_wanted(wanted=False)
        await self.lifecycle.stop(reason)
        await self.lifecycle.wait_for_planned_start()

    async def _restart(self, by: str, reason: str) -> None:
        async with self.world.hold("a restart"):
            await self.audit.record(by, "restart", reason=reason)
            stops = self.lifecycle.stops + 1  # the one that follows, and no other
            await self.lifecycle.stop(reason)
            await self.lifecycle.start(stops)

    async def _kill(self, by: str) -> None:
        try:
            await self.lifecycle.kill()
        finally:
            await self.lifecycle.remember_wanted(wanted=False)
            await self.audit.record(by, "kill")


@contextlib.asynccontextmanager
async def exclusive_world(
    game: Game, purpose: str, *, stop: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """Have exclusive access to the world (`Game.exclusive`) as soon as nobody else has.

    It is for work that must not be left half done. Between a stop and the work that the game was
    stopped for, a backup may take the world: giving up then would leave the game down.
    `stop` stops a game that was started meanwhile. Raises `GameBusy` when others hold the world
    for longer than `PATIENCE_SECONDS`, and `GameNotStopped`: without `stop` at once.
    """
    deadline = clock.monotonic() + PATIENCE_SECONDS
    async with contextlib.AsyncExitStack() as stack:
        while True:
            try:
                await stack.enter_async_context(game.exclusive(purpose))
                break
            except GameBusy:
                if clock.monotonic() > deadline:
                    raise
            except GameNotStopped:
                if stop is None or clock.monotonic() > deadline:
                    raise
                await stop()
            await asyncio.sleep(_POLL_SECONDS)
        yield


async def start_when_free(game: Game, *, by: str) -> None:
    """Start the game as soon as nobody else holds the world. Raises what `Game.start` raises."""
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await game.start(by=by)
        except GameBusy:
            if clock.monotonic() > deadline:
                raise
        await asyncio.sleep(_POLL_SECONDS)


async def start_until_ready(game: Game, *, by: str, seconds: float) -> str | None:
    """Start the game; return None once it is ready, else why it isn't after `seconds`."""
    try:
        await start_when_free(game, by=by)
        status = await game.wait_for(GameState.RUNNING, *AT_REST, timeout=seconds)
    except TimeoutError:
        return f"It was not ready after {seconds:g} seconds."
    except ProblemError as error:
        return error.detail or error.title  # `str` of a document's error shows its path
    if status.state is GameState.RUNNING:
        return None
    return status.reason or f"It is {status.state}."


@contextlib.asynccontextmanager
async def stopped_game(game: Game, purpose: str, *, by: str, reason: str) -> AsyncIterator[None]:
    """Stop the game if it runs, and have exclusive access to the world.

    After an error, a game that ran is started again; otherwise the caller starts it.
    """
    ran = game.status.state not in AT_REST
    if ran:
        await game.stop(by=by, reason=reason, for_good=False)
    try:
        async with exclusive_world(game, purpose):
            yield
    except BaseException:
        if ran:
            with contextlib.suppress(ProblemError):
                await start_when_free(game, by=by)
        raise
