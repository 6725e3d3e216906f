"""What follows an exit: it is shown, and after a crash the game starts again, or stays down."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bedplate import clock
from bedplate.jobs.background import Jobs
from gameserver.console.service import Console
from gameserver.events import EventKind, Events
from gameserver.process.exit_reason import ExitKind, ExitReason
from gameserver.process.world_lock import START, WorldLock
from gameserver.settings import GameServerSettings
from gameserver.status import Cause, GameState, StatusBoard

MAX_REFUSALS: Final = 10
"""Refused starts within an hour after which the game stays down."""

_WINDOW: Final = timedelta(hours=1)

Step = Callable[[], Awaitable[None]]


class CrashCounter:
    """Counts crashes, and decides how long to wait before the next start.

    The pause begins at `crash_first_pause_seconds` and doubles up to `crash_max_pause_seconds`.
    After `limit` crashes within an hour, by default `crash_limit`, the game stays down.
    """

    def __init__(self, settings: GameServerSettings, limit: int | None = None) -> None:
        self._settings = settings
        self._limit = limit or settings.crash_limit
        self._crashes: deque[datetime] = deque(maxlen=self._limit)

    def count(self, at: datetime) -> float | None:
        """Count a crash, and return the seconds until the next start; None to give up."""
        while self._crashes and at - self._crashes[0] > _WINDOW:
            self._crashes.popleft()
        self._crashes.append(at)
        if len(self._crashes) >= self._limit:
            return None
        pause = self._settings.crash_first_pause_seconds * 2.0 ** (len(self._crashes) - 1)
        return min(pause, self._settings.crash_max_pause_seconds)

    def reset(self) -> None:
        """Forget all crashes: a person has started the game."""
        self._crashes.clear()


class PlannedStart:
    """The next start that no person asks for. There is at most one."""

    def __init__(self, world: WorldLock, jobs: Jobs) -> None:
        self._world = world
        self._jobs = jobs
        self._planned: asyncio.Task[None] | None = None
        self._in_progress: asyncio.Task[None] | None = None

    def plan(self, pause: Step, start: Step) -> None:
        """Run `start` after `pause`, holding the world lock; an earlier plan is cancelled."""
        self.cancel()
        self._planned = self._jobs.start(self._carry_out(pause, start), name="planned_start")

    def cancel(self) -> None:
        """Cancel the plan. A start in progress has to notice by itself that it is unwanted."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    async def wait(self, seconds: float) -> None:
        """Return when no start holds the world any more, or after `seconds`."""
        if self._in_progress is not None:
            await asyncio.wait({self._in_progress}, timeout=seconds)

    async def _carry_out(self, pause: Step, start: Step) -> None:
        await pause()
        async with self._world.hold(START, wait=True):
            self._in_progress, self._planned = self._planned, None
            try:
                await start()
            finally:
                self._in_progress = None


@dataclass(eq=False)
class RestartPolicy:
    """Shows exits; after a crash it plans the next start, or gives up.

    A start that is refused after a crash is no further crash: a child that the crashed game left
    behind may hold the port for a while. Such starts are tried again for some minutes.

    crashes    counts the crashes
    refusals   counts the refused starts
    planned    the next start
    """

    board: StatusBoard
    console: Console
    events: Events
    crashes: CrashCounter
    refusals: CrashCounter
    planned: PlannedStart

    def reset(self) -> None:
        """Forget what has failed: a person starts the game."""
        self.crashes.reset()
        self.refusals.reset()

    def handle(self, reason: ExitReason, restart: Step | None) -> None:
        """Show how a process ended. After a crash plan `restart`; None when the manager leaves."""
        if reason.kind in {ExitKind.MANAGER, ExitKind.PLAYER}:
            self.board.become(GameState.STOPPED, Cause.EXIT, **_after(reason))
            self.board.announce(f"The game has stopped: {reason.text}")
            return
        hope = restart is not None and reason.may_restart
        refused = reason.kind is ExitKind.START_REFUSED
        counter = self.refusals if refused else self.crashes
        pause = counter.count(clock.now()) if hope else None
        known = refused and self.board.status.reason == reason.text
        self.board.become(
            GameState.CRASHED,
            Cause.FAILED_START if refused else Cause.EXIT,
            restart_at=None if pause is None else clock.now() + timedelta(seconds=pause),
            **_after(reason),
        )
        what = "The start was refused" if refused else "The game crashed"
        self.console.say(f"{what}: {reason.text}")
        if not known:
            self.board.announce(reason.text)
        if restart is not None and pause is not None:
            self.planned.plan(partial(asyncio.sleep, pause), restart)
        elif restart is not None:
            why = "can't be started" if refused else "crashed too often"
            why = why if hope else "would crash again"
            text = f"The game {why}, and stays down. {reason.text}"
            self.console.say(text)
            lines = "\n".join(reason.last_lines[-5:])
            self.events.publish(EventKind.GAVE_UP, text, last_lines=lines)


def _after(reason: ExitReason) -> dict[str, object]:
    return {
        "pid": None,
        "port": None,
        "exit_code": reason.code,
        "reason": reason.text,
        "last_lines": reason.last_lines,
    }
