"""The life of the game's process: started, supervised, ended; one process at a time.

The table of the game's states and of what changes them is `TRANSITIONS` in `gameserver/status.py`.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from bedplate.documents import Document, DocumentError
from bedplate.jobs.background import Jobs
from bedplate.problems import ProblemError
from gameserver.console.service import Console
from gameserver.process.exceptions import (
    GameAlreadyRunning,
    ManagerShuttingDown,
    ProcessStillExiting,
    StartCancelled,
)
from gameserver.process.exit_reason import ExitKind, ExitReason
from gameserver.process.launch import Launcher
from gameserver.process.ownership import Orphan, ProcessRecord
from gameserver.process.restart_policy import RestartPolicy
from gameserver.process.run import Run
from gameserver.process.stopping import KILL_SECONDS, StopLadder
from gameserver.status import AT_REST, Cause, GameState, StatusBoard

BeforeStart = Callable[[], Awaitable[None]]
"""Runs before each start, while there is no process; a `ProblemError` prevents the start."""


@dataclass(eq=False)
class Lifecycle:
    """Starts and ends the process. Whoever starts it holds the world lock.

    stops: how many stops were asked for. A start remembers the count, and is cancelled when a stop
    comes before the process runs.
    """

    board: StatusBoard
    console: Console
    launcher: Launcher
    ladder: StopLadder
    policy: RestartPolicy
    orphan: Orphan
    record: Document[ProcessRecord]
    jobs: Jobs
    before_start: Sequence[BeforeStart] = ()
    stops: int = field(default=0, init=False)
    _run: Run | None = field(default=None, init=False)
    _shutting_down: bool = field(default=False, init=False)

    @property
    def has_process(self) -> bool:
        """Whether a process of the game runs, also one that an earlier manager left."""
        return self._run is not None or self.orphan.exists

    def check_at_rest(self) -> None:
        """Raise `ManagerShuttingDown`, or `GameAlreadyRunning` while there is a process."""
        if self._shutting_down:
            raise ManagerShuttingDown
        if self.has_process:
            raise GameAlreadyRunning(self.board.status.state)

    async def start(self, stops: int) -> None:
        """Start the process because somebody asked for it.

        Raises `StartCancelled` when there were other `stops` meanwhile, and what `Game.start` does.
        """
        self._check_not_stopped_since(stops)
        self.policy.planned.cancel()
        self.policy.reset()
        await self.remember_wanted(wanted=True)
        await self._launch(stops)

    async def stop(self, reason: str) -> None:
        """End the process, and return when it is gone. Raises `ProcessStillExiting`."""
        self._cancel_starts()
        if self.orphan.exists:
            await self.orphan.wait()
        elif self._run is not None:
            self._run.stop(reason)
            await self._wait_at_rest(self.ladder.max_seconds + 1.0)
        elif self.board.status.state is GameState.CRASHED:
            self.board.become(GameState.STOPPED, Cause.STOP, reason=reason)

    async def wait_for_planned_start(self) -> None:
        """Return when a start that was in progress has given up, or after `KILL_SECONDS`."""
        await self.policy.planned.wait(KILL_SECONDS)

    async def kill(self) -> None:
        """End the process at once. Raises `ProcessStillExiting`."""
        self._cancel_starts()
        if self._run is not None:
            self._run.kill("It was killed; what was not saved is lost.")
        await self.orphan.kill()
        await self._wait_at_rest(KILL_SECONDS)
        if self.board.status.state is GameState.CRASHED:
            self.board.become(GameState.STOPPED, Cause.STOP)

    async def resume(self, *, autostart: str) -> None:
        """End the game of an earlier manager, and start the game if it should run.

        `autostart` is `always`, `never`, or `last`: as the earlier manager left it.
        """
        wanted = (await self.record.read()).wanted
        if self.launcher.process_lock.is_held():
            reason = "An earlier manager left its game running."
            self.board.become(GameState.STOPPING, Cause.ORPHAN, reason=reason)
            self.orphan.end(lambda text: self._exited(ExitReason(ExitKind.MANAGER, text)))
        if {"always": True, "never": False, "last": wanted}[autostart]:
            self.policy.planned.plan(self.orphan.wait, partial(self._start_unasked, self.stops))

    async def shut_down(self) -> None:
        """End the process for the manager's own exit; from now on nothing starts."""
        self._shutting_down = True
        with contextlib.suppress(ProcessStillExiting):
            await self.stop("The manager shuts down.")

    async def remember_wanted(self, *, wanted: bool) -> None:
        """Write down for the next manager whether the game should run.

        A full disk is logged: it must not keep anybody from stopping the game.
        """
        try:
            async with self.record.change() as record:
                record.wanted = wanted
        except DocumentError as error:
            structlog.get_logger().error("wanted_not_saved", wanted=wanted, reason=str(error))

    async def _start_unasked(self, stops: int) -> None:
        """Start without a person who waits for it: a refusal counts as a crash."""
        if stops != self.stops or self._run is not None:
            return
        try:
            await self._launch(stops)
        except (ManagerShuttingDown, StartCancelled):
            return
        except ProblemError as error:
            text = error.detail or error.title  # `str` of a document's error shows its path
            self._exited(ExitReason(ExitKind.START_REFUSED, text))

    async def _launch(self, stops: int) -> None:
        program = await self.launcher.check()
        for prepare in self.before_start:
            await prepare()
        self._check_not_stopped_since(stops)
        run = Run(self.console, self.board, self.ladder, self.jobs)
        self.console.begin(run.read_facts)
        run.begin(await self.launcher.spawn(program, self.console), program)
        self._run = run
        self.jobs.start(self._supervise(run), name="game_process")
        if stops != self.stops:
            run.kill("It was stopped before it had started.")
            raise StartCancelled

    async def _supervise(self, run: Run) -> None:
        reason = await run.wait()
        try:
            if reason.kind is ExitKind.PLAYER:
                await self.remember_wanted(wanted=False)
        finally:  # in one step: whoever starts the game now finds it at rest
            self._run = None
            self._exited(reason)

    def _exited(self, reason: ExitReason) -> None:
        restart = None if self._shutting_down else partial(self._start_unasked, self.stops)
        self.policy.handle(reason, restart)

    def _cancel_starts(self) -> None:
        self.stops += 1
        self.policy.planned.cancel()

    def _check_not_stopped_since(self, stops: int) -> None:
        if self._shutting_down:
            raise ManagerShuttingDown
        if stops != self.stops:
            raise StartCancelled

    async def _wait_at_rest(self, seconds: float) -> None:
        try:
            await self.board.wait_for(*AT_REST, seconds=seconds)
        except TimeoutError:
            raise ProcessStillExiting from None
