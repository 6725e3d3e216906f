"""The game: started, stopped, started again. What it's told to do meets here."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import structlog

from bedplate.documents import Document, DocumentError
from bedplate.problems import ProblemError
from gameserver.audit.service import Audit
from gameserver.console.service import Console
from gameserver.events import Events
from gameserver.process.aftermath import Aftermath
from gameserver.process.crashes import CrashCounter
from gameserver.process.exceptions import (
    GameAlreadyRunning,
    GameNotStopped,
    ManagerShuttingDown,
    ProcessStillExiting,
    StartCancelled,
)
from gameserver.process.exit_reason import Cause, Ending
from gameserver.process.launch import Launcher
from gameserver.process.orphan import Orphan
from gameserver.process.record import ProcessRecord
from gameserver.process.restarts import Restarts
from gameserver.process.resting import Rest
from gameserver.process.run import Run
from gameserver.process.status_board import StatusBoard
from gameserver.process.stopping import KILL_SECONDS, StopLadder
from gameserver.process.tasks import Tasks
from gameserver.process.world_lock import START, WorldLock
from gameserver.status import AT_REST, GameState, GameStatus


class Game:
    """The one game of this manager.

    status: what it is doing. console: its console. before_start: called before each start, with
    the world at rest; one that raises a `ProblemError` prevents the start.
    """

    def __init__(
        self,
        console: Console,
        launcher: Launcher,
        ladder: StopLadder,
        crashes: CrashCounter,
        record: Document[ProcessRecord],
        events: Events,
        audit: Audit,
    ) -> None:
        self.console = console
        self.before_start: list[Callable[[], Awaitable[None]]] = []
        self._launcher = launcher
        self._ladder = ladder
        self._crashes = crashes
        self._record = record
        self._audit = audit
        self._world = WorldLock()
        self._tasks = Tasks()
        self._board = StatusBoard(events)
        self._rest = Rest(self._board, launcher.programs)
        self._restarts = Restarts(self._world, self._tasks)
        self._aftermath = Aftermath(self._board, console, events, crashes, self._restarts)
        self._orphan = Orphan(launcher.world, self._tasks, ask_seconds=ladder.ask_seconds)
        self._run: Run | None = None
        self._stops = 0
        self._leaving = False

    # What everybody may ask for.

    @property
    def status(self) -> GameStatus:
        """What the game is doing."""
        return self._board.status

    async def start(self, *, by: str) -> None:
        """Start the game; returns when its process runs, `wait_for` tells when it is ready.

        Raises `GameAlreadyRunning`, `GameBusy`, `GameNotInstalled`, `StartRefused`,
        `StartCancelled`, `ManagerShuttingDown`.
        """
        self._refuse_unless_at_rest()
        await self._tasks.finish(self._start(by))

    async def stop(self, *, by: str, reason: str, for_good: bool = True) -> None:
        """Stop the game, and return when its process is gone; also when there is none.

        A start that waits after a crash is called off. Unless it is `for_good`, a manager that is
        killed meanwhile starts the game again. A caller that is cancelled only stops waiting.
        """
        await self._tasks.finish(self._stop_as_asked(by, reason, for_good=for_good))

    async def restart(self, *, by: str, reason: str) -> None:
        """Stop the game if it runs, and start it. Raises what `start` raises."""
        await self._tasks.finish(self._restart(by, reason))

    async def kill(self, *, by: str) -> None:
        """End the process at once, whatever else is under way; what was not saved is lost.

        Raises `ProcessStillExiting` when the system can't end it.
        """
        await self._tasks.finish(self._kill(by))

    async def wait_for(
        self,
        *states: GameState,
        timeout: float,  # noqa: ASYNC109 - bound of a wait
    ) -> GameStatus:
        """Return the status as soon as it is one of `states`. Raises `TimeoutError`."""
        return await self._board.wait_for(*states, seconds=timeout)

    async def changed(self, status: GameStatus) -> GameStatus:
        """Return the status as soon as it is another than `status`."""
        return await self._board.changed(status)

    @property
    def busy_with(self) -> str | None:
        """What has the world to itself just now."""
        return self._world.purpose

    @contextlib.asynccontextmanager
    async def exclusive(self, purpose: str, *, installing: bool = False) -> AsyncIterator[None]:
        """Have the world to yourself: the game is at rest, and stays so within the context.

        `purpose` tells others what they wait for: "a restore". With `installing` the state shows
        it. Raises `GameNotStopped`, `GameBusy`.
        """
        async with self._world.hold(purpose):
            if self._has_process:
                raise GameNotStopped(self.status.state)
            shown = self._rest.installing(purpose) if installing else contextlib.nullcontext()
            try:
                with shown:
                    yield
            finally:
                await self._rest.refresh()

    async def refresh(self) -> None:
        """Look again which program there is; the state shows when there is none."""
        await self._rest.refresh()

    # The life of the manager.

    async def open(self, *, autostart: str) -> None:
        """Look for a game that an earlier manager left behind, and start the game if wanted."""
        await self._rest.refresh()
        wanted = (await self._record.read()).wanted
        start = {"always": True, "never": False, "last": wanted}[autostart]
        if self._launcher.world.is_held():
            reason = "An earlier manager left its game running."
            self._board.become(GameState.STOPPING, reason=reason)
            self._orphan.end(lambda how: self._show(Ending(Cause.MANAGER, how)))
        if start:
            self._restarts.plan(self._orphan.gone, partial(self._start_unasked, self._stops))

    async def close(self) -> None:
        """Stop the game, since the manager goes away; the next one starts it again."""
        self._leaving = True
        with contextlib.suppress(ProcessStillExiting):
            await self._stop("The manager shuts down.")
        await self._tasks.wait(KILL_SECONDS)

    # Starting.

    async def _start(self, by: str) -> None:
        stops = self._stops
        async with self._world.hold(START):
            self._refuse_unless_at_rest()
            await self._audit.record(by, "start")
            self._restarts.call_off()
            await self._start_as_wanted(stops)

    async def _restart(self, by: str, reason: str) -> None:
        async with self._world.hold("a restart"):
            await self._audit.record(by, "restart", reason=reason)
            stops = self._stops + 1  # its own, and no other
            await self._stop(reason)
            self._refuse_if_stopped_since(stops)
            await self._start_as_wanted(stops)

    async def _start_as_wanted(self, stops: int) -> None:
        self._crashes.forget()
        await self._want(running=True)
        await self._launch(stops)

    async def _start_unasked(self, stops: int) -> None:
        """Start without a person who asks: what prevents it counts as a crash."""
        if stops != self._stops or self._run is not None:
            return
        try:
            await self._launch(stops)
        except (ManagerShuttingDown, StartCancelled):
            return
        except ProblemError as error:
            self._show(Ending(Cause.CRASH, error.detail or error.title))

    async def _launch(self, stops: int) -> None:
        """Start the process, unless a stop came after `stops`. Belongs within the world lock."""
        program = await self._launcher.check()
        for prepare in self.before_start:
            await prepare()
        self._refuse_if_stopped_since(stops)
        self.console.begin()
        child = await self._launcher.spawn(program, self.console)
        self._run = Run(child, self.console, self._board, self._ladder, self._tasks)
        self._run.begin(program)
        self._tasks.begin(self._supervise(self._run))
        if stops != self._stops:
            self._run.kill("It was stopped before it had started.")
            raise StartCancelled

    # Ending.

    async def _supervise(self, run: Run) -> None:
        ending = await run.end()
        try:
            if ending.cause is Cause.PLAYER:
                await self._want(running=False)
        finally:  # in one step: whoever starts the game now finds it at rest
            self._run = None
            self._show(ending)

    def _show(self, ending: Ending) -> None:
        if ending.cause is not Cause.CRASH:
            self._aftermath.stopped(ending)
        elif self._leaving:
            self._aftermath.crashed_for_good(ending)
        else:
            self._aftermath.crashed(ending, partial(self._start_unasked, self._stops))

    async def _stop_as_asked(self, by: str, reason: str, *, for_good: bool) -> None:
        await self._audit.record(by, "stop", reason=reason)
        if for_good:
            await self._want(running=False)
        await self._stop(reason)
        await self._restarts.settled(KILL_SECONDS)

    async def _stop(self, reason: str) -> None:
        self._call_off_starts()
        if self._orphan.is_there:
            await self._orphan.gone()
        elif self._run is not None:
            self._run.stop(reason)
            await self._gone_within(self._ladder.longest + 1.0)
        elif self.status.state is GameState.CRASHED:
            self._board.become(GameState.STOPPED, reason=reason)

    async def _kill(self, by: str) -> None:
        self._call_off_starts()
        if self._run is not None:
            self._run.kill("It was killed; what was not saved is lost.")
        await self._orphan.kill()
        try:
            await self._gone_within(KILL_SECONDS)
        finally:
            await self._want(running=False)
            await self._audit.record(by, "kill")
        if self.status.state is GameState.CRASHED:
            self._board.become(GameState.STOPPED)

    def _call_off_starts(self) -> None:
        self._stops += 1
        self._restarts.call_off()

    # Small parts.

    @property
    def _has_process(self) -> bool:
        return self._run is not None or self._orphan.is_there

    def _refuse_unless_at_rest(self) -> None:
        if self._leaving:
            raise ManagerShuttingDown
        if self._has_process:
            raise GameAlreadyRunning(self.status.state)

    def _refuse_if_stopped_since(self, stops: int) -> None:
        if self._leaving:
            raise ManagerShuttingDown
        if stops != self._stops:
            raise StartCancelled

    async def _gone_within(self, seconds: float) -> None:
        try:
            await self.wait_for(*AT_REST, timeout=seconds)
        except TimeoutError:
            raise ProcessStillExiting from None

    async def _want(self, *, running: bool) -> None:
        """Remember it for the next manager; on a full disk the game can be stopped all the same."""
        try:
            async with self._record.change() as record:
                record.wanted = running
        except DocumentError as error:
            structlog.get_logger().error("want_not_written", running=running, reason=str(error))
