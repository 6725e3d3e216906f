"""The game: started, watched, stopped. The only one who knows its process."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog

from bedplate import clock
from bedplate.documents import Document
from bedplate.problems import ProblemError
from gameserver.audit.trail import Audit
from gameserver.console.console import Console
from gameserver.events import EventKind, Events
from gameserver.process.child import Child
from gameserver.process.crashes import CrashCounter
from gameserver.process.endings import explain
from gameserver.process.exceptions import (
    AlreadyRunning,
    GameNotAtRest,
    ManagerLeaves,
    NotGoneYet,
    StartCancelled,
)
from gameserver.process.launch import Launcher
from gameserver.process.record import ProcessRecord
from gameserver.process.state import AT_REST, GameState, GameStatus
from gameserver.process.status_board import StatusBoard
from gameserver.process.stopping import KILL_SECONDS, StopLadder
from gameserver.process.world_lock import WorldLock

MANAGER: Final = "manager"
"""Who acts when no person does."""

_START: Final = "a start"

_EVENTS = {
    GameState.STARTING: EventKind.STARTING,
    GameState.RUNNING: EventKind.RUNNING,
    GameState.STOPPING: EventKind.STOPPING,
    GameState.STOPPED: EventKind.STOPPED,
    GameState.CRASHED: EventKind.CRASHED,
}


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
        self._events = events
        self._audit = audit
        self._world = WorldLock()
        self._board = StatusBoard()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._child: Child | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._orphan: asyncio.Task[None] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._stop_reason: str | None = None
        self._stops = 0
        self._leaving = False
        console.told = self._read_facts

    # What everybody may ask for.

    @property
    def status(self) -> GameStatus:
        """What the game is doing."""
        return self._board.status

    async def start(self, *, by: str) -> None:
        """Start the game; returns when its process runs, `wait_for` tells when it is ready.

        Raises `AlreadyRunning`, `GameBusy`, `GameNotInstalled`, `StartRefused`, `StartCancelled`,
        `ManagerLeaves`.
        """
        self._refuse_unless_at_rest()
        await self._finish(self._start(by))

    async def stop(self, *, by: str, reason: str, for_good: bool = True) -> None:
        """Stop the game, and return when its process is gone; also when there is none.

        A start that waits after a crash is called off. Unless it is `for_good`, a manager that is
        killed meanwhile starts the game again. A caller that is cancelled only stops waiting.
        """
        await self._finish(self._stop_as_asked(by, reason, for_good=for_good))

    async def restart(self, *, by: str, reason: str) -> None:
        """Stop the game if it runs, and start it. Raises what `start` raises."""
        await self._finish(self._restart(by, reason))

    async def kill(self, *, by: str) -> None:
        """End the process at once, whatever else is under way; what was not saved is lost.

        Raises `NotGoneYet` when the system can't end it.
        """
        await self._finish(self._kill(by))

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
        it. Raises `GameNotAtRest`, `GameBusy`.
        """
        async with self._world.hold(purpose):
            if self._child is not None or self._orphan is not None:
                raise GameNotAtRest(self.status.state)
            before = self.status
            if installing:
                self._board.become(GameState.INSTALLING, reason=purpose)
            try:
                yield
            finally:
                if self.status.state is GameState.INSTALLING:
                    self._board.show(replace(before, since=clock.now()))
                await self.refresh()

    async def refresh(self) -> None:
        """Look again which program there is; the state shows when there is none."""
        program = await self._launcher.programs.find()
        if program is None:
            if self.status.state in {GameState.STOPPED, GameState.CRASHED}:
                self._board.become(GameState.NOT_INSTALLED)
        elif self.status.state is GameState.NOT_INSTALLED:
            self._board.become(GameState.STOPPED)
        if self.status.state in AT_REST:
            version = program.version if program else None
            simulated = program is not None and program.simulated
            self._board.show(replace(self.status, version=version, simulated=simulated))

    # The life of the manager.

    async def open(self, *, autostart: str) -> None:
        """Look for a game that an earlier manager left behind, and start the game if wanted."""
        await self.refresh()
        wanted = (await self._record.read()).wanted
        start = {"always": True, "never": False, "last": wanted}[autostart]
        if self._launcher.world.is_held():
            self._board.become(
                GameState.STOPPING, reason="An earlier manager left its game running."
            )
            self._orphan = self._task(self._end_orphan())
        if start:
            self._restarting = self._task(self._start_as_wanted(self._stops))

    async def close(self) -> None:
        """Stop the game, since the manager goes away; the next one starts it again."""
        self._leaving = True
        with contextlib.suppress(NotGoneYet):
            await self._stop("The manager shuts down.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_SECONDS):
                while self._tasks:
                    await asyncio.wait(self._tasks)

    # Starting.

    async def _start(self, by: str) -> None:
        stops = self._stops
        async with self._world.hold(_START):
            self._refuse_unless_at_rest()
            await self._audit.record(by, "start")
            self._crashes.forget()
            self._cancel_restart()
            await self._want(running=True)
            await self._launch(stops)

    async def _restart(self, by: str, reason: str) -> None:
        async with self._world.hold("a restart"):
            await self._audit.record(by, "restart", reason=reason)
            stops = self._stops + 1  # its own, and no other
            await self._stop(reason)
            self._refuse_if_stopped_since(stops)
            self._crashes.forget()
            await self._want(running=True)
            await self._launch(stops)

    async def _launch(self, stops: int) -> None:
        """Start the process, unless a stop came after `stops`. Belongs within the world lock."""
        program = await self._launcher.check()
        for prepare in self.before_start:
            await prepare()
        self._refuse_if_stopped_since(stops)
        self.console.begin()
        child = await self._launcher.spawn(program, self.console)
        self._child = child
        self._stop_reason = None
        self._board.show(
            GameStatus(
                GameState.STARTING,
                pid=child.pid,
                version=program.version,
                simulated=program.simulated,
            )
        )
        self.console.accept_commands(None, GameState.STARTING)
        self._announce("The game starts.")
        self._task(self._supervise(child))
        self._read_facts()  # it may have said something already
        if stops != self._stops:
            self._stop_reason = "It was stopped before it had started."
            child.signal(signal.SIGKILL)
            raise StartCancelled

    def _refuse_if_stopped_since(self, stops: int) -> None:
        if self._leaving:
            raise ManagerLeaves
        if stops != self._stops:
            raise StartCancelled

    async def _start_as_wanted(self, stops: int) -> None:
        if self._orphan is not None:
            await asyncio.wait({self._orphan})
        await self._start_again(stops)

    async def _start_again(self, stops: int) -> None:
        """Start without a person who asks: what prevents it counts as a crash."""
        async with self._world.hold(_START, wait=True):
            if stops != self._stops or self._child is not None:
                return
            try:
                await self._launch(stops)
            except (ManagerLeaves, StartCancelled):
                return
            except ProblemError as error:
                await self._crashed(error.detail or error.title, None, ())

    # Watching.

    def _read_facts(self) -> None:
        facts = self.console.facts.current
        state = self.status.state
        if state is GameState.STARTING and facts.ready_at is not None:
            self._board.become(GameState.RUNNING, port=facts.port, version=facts.version)
            if self._child is not None:
                self.console.accept_commands(self._child.write, GameState.RUNNING)
            self._announce("The game runs.")
        elif state in {GameState.STARTING, GameState.RUNNING} and facts.shuts_down:
            self._board.become(GameState.STOPPING, reason="The game shuts itself down.")
            self.console.accept_commands(None, GameState.STOPPING)
            self._announce("The game shuts itself down.")

    async def _supervise(self, child: Child) -> None:
        code = await child.wait()
        self.console.accept_commands(None, GameState.STOPPED)
        self.console.end()
        facts, lines = self.console.facts.current, tuple(self.console.tail())
        if self._stopping is not None:
            await asyncio.wait({self._stopping})  # it knows how the game was brought to its end
        self._child = None
        if self._stop_reason is not None:
            self._stopped(self._stop_reason, code)
        elif facts.stopped_on_purpose:
            await self._want(running=False)
            self._stopped("The game was stopped from within.", code)
        else:
            await self._crashed(explain(code, facts), code, lines)

    def _stopped(self, reason: str, code: int | None) -> None:
        self._board.become(GameState.STOPPED, pid=None, port=None, exit_code=code, reason=reason)
        self._announce(f"The game has stopped: {reason}")

    async def _crashed(self, reason: str, code: int | None, lines: tuple[str, ...]) -> None:
        pause = None if self._leaving else self._crashes.note(clock.now())
        again = None if pause is None else clock.now() + timedelta(seconds=pause)
        self._board.become(
            GameState.CRASHED, pid=None, port=None, exit_code=code, reason=reason,
            last_lines=lines, restart_at=again,
        )  # fmt: skip
        self.console.say(f"The game crashed: {reason}")
        self._announce(reason)
        if self._leaving:
            return
        if pause is None:
            text = f"The game crashed too often, and stays down. {reason}"
            self.console.say(text)
            last = "\n".join(lines[-5:])
            self._events.publish(EventKind.GAVE_UP, text, last_lines=last)
        else:
            self._restarting = self._task(self._start_after(pause))

    async def _start_after(self, seconds: float) -> None:
        stops = self._stops
        await asyncio.sleep(seconds)
        await self._start_again(stops)

    # Stopping.

    async def _stop_as_asked(self, by: str, reason: str, *, for_good: bool) -> None:
        await self._audit.record(by, "stop", reason=reason)
        if for_good:
            await self._want(running=False)
        starting = self._restarting if self._world.purpose == _START else None
        await self._stop(reason)
        if starting is not None:  # it notices the stop, and then lets go of the world
            await asyncio.wait({starting}, timeout=KILL_SECONDS)

    async def _stop(self, reason: str) -> None:
        self._stops += 1
        self._cancel_restart()
        if self._orphan is not None:
            await asyncio.wait({self._orphan})
        elif self._child is None:
            if self.status.state is GameState.CRASHED:
                self._board.become(GameState.STOPPED, reason=reason, restart_at=None)
        else:
            if self._stopping is None:
                self._stopping = self._task(self._descend(self._child, reason))
            await self._gone_within(self._ladder.longest + 1.0)

    async def _descend(self, child: Child, reason: str) -> None:
        try:
            listens = self.status.state is GameState.RUNNING
            self._board.become(GameState.STOPPING, reason=reason)
            self._announce(reason)
            self._stop_reason = self._stop_reason or reason
            more = await self._ladder.descend(child, self.console, listens=listens)
            if more is not None and self._stop_reason == reason:
                self._stop_reason = f"{reason.rstrip('.')}; {more}."
        finally:
            self._stopping = None

    async def _kill(self, by: str) -> None:
        self._stops += 1
        self._cancel_restart()
        if self._child is not None:
            self._stop_reason = "It was killed; what was not saved is lost."
            self._child.signal(signal.SIGKILL)
        if self._orphan is not None:
            await self._launcher.world.signal_holders(signal.SIGKILL)
        try:
            await self._gone_within(KILL_SECONDS)
        finally:
            await self._want(running=False)
            await self._audit.record(by, "kill")
        if self.status.state is GameState.CRASHED:
            self._board.become(GameState.STOPPED, restart_at=None)

    async def _end_orphan(self) -> None:
        """End the game of a manager that was killed.

        Its console is lost with that manager, so it can't be commanded any more: SIGTERM makes it
        save the world and end.
        """
        structlog.get_logger().warning("orphan_found")
        try:
            saved = await self._launcher.world.end_holders(
                terminate_seconds=self._ladder.ask_seconds, kill_seconds=KILL_SECONDS
            )
            how = "was stopped; the world is saved" if saved else "had to be killed"
            self._stopped(f"The game that an earlier manager left running {how}.", None)
        finally:
            self._orphan = None

    # Small parts.

    async def _gone_within(self, seconds: float) -> None:
        try:
            await self.wait_for(*AT_REST, timeout=seconds)
        except TimeoutError:
            raise NotGoneYet from None

    def _refuse_unless_at_rest(self) -> None:
        if self._leaving:
            raise ManagerLeaves
        if self._child is not None or self._orphan is not None:
            raise AlreadyRunning(self.status.state)

    async def _want(self, *, running: bool) -> None:
        async with self._record.change() as record:
            record.wanted = running

    def _cancel_restart(self) -> None:
        # Never one that already starts: that notices the stop by itself.
        if self._restarting is not None and self._world.purpose is None:
            self._restarting.cancel()
        self._restarting = None

    def _announce(self, text: str) -> None:
        kind = _EVENTS.get(self.status.state)
        structlog.get_logger().info("game", state=self.status.state, reason=text)
        if kind is not None:
            self._events.publish(kind, text)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ProblemError):
            structlog.get_logger().error("game_task_failed", exc_info=error)

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work to its end, even if whoever asked for it goes away."""
        await asyncio.shield(self._task(work))
