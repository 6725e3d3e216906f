"""What the game is doing: its states, and the one table of how they follow each other.

`TRANSITIONS` is complete: `StatusBoard.become` checks against it. Each cause has its place:
`process/run.py` starts a process, reads what its console says, and stops it, `process/lifecycle.py`
ends what has no process (a planned restart, another manager's game), `process/restart_policy.py`
handles exits, and the board itself shows which program there is. The status is a module of its own
below console and process: whoever only asks for the state depends on neither.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import structlog

from bedplate import clock
from gameserver.events import EventKind, Events


class GameState(StrEnum):
    """What the game is doing. It is running once it says that it listens."""

    NOT_INSTALLED = "not_installed"
    INSTALLING = "installing"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    CRASHED = "crashed"


AT_REST: Final = frozenset(
    {GameState.NOT_INSTALLED, GameState.INSTALLING, GameState.STOPPED, GameState.CRASHED}
)
"""States in which there is no process."""


class Cause(StrEnum):
    """Who or what changes the state."""

    LOOKUP = "lookup"
    """The manager looked up which program it would start."""
    INSTALLATION = "installation"
    """A version of the game is being installed, or no longer is."""
    START = "start"
    """The manager has started a process."""
    FAILED_START = "failed_start"
    """A start on the manager's own initiative was refused."""
    CONSOLE = "console"
    """The game said on its console that it is ready, or that it shuts down."""
    STOP = "stop"
    """Somebody asked the manager to stop or kill the game."""
    ORPHAN = "orphan"
    """The manager found a game that an earlier manager left running, and ends it."""
    EXIT = "exit"
    """The process has ended."""


_IDLE: Final = (GameState.NOT_INSTALLED, GameState.STOPPED, GameState.CRASHED)
_ALIVE: Final = (GameState.STARTING, GameState.RUNNING, GameState.STOPPING)

TRANSITIONS: Final = frozenset(
    (before, after, cause)
    for sources, after, cause in (
        ((GameState.STOPPED, GameState.CRASHED), GameState.NOT_INSTALLED, Cause.LOOKUP),
        ((GameState.NOT_INSTALLED,), GameState.STOPPED, Cause.LOOKUP),
        (_IDLE, GameState.INSTALLING, Cause.INSTALLATION),
        ((GameState.INSTALLING,), GameState.NOT_INSTALLED, Cause.INSTALLATION),
        ((GameState.INSTALLING,), GameState.STOPPED, Cause.INSTALLATION),
        ((GameState.INSTALLING,), GameState.CRASHED, Cause.INSTALLATION),
        (_IDLE, GameState.STARTING, Cause.START),
        (_IDLE, GameState.CRASHED, Cause.FAILED_START),
        ((GameState.STARTING,), GameState.RUNNING, Cause.CONSOLE),
        ((GameState.STARTING, GameState.RUNNING), GameState.STOPPING, Cause.CONSOLE),
        (_ALIVE, GameState.STOPPING, Cause.STOP),
        ((GameState.CRASHED,), GameState.STOPPED, Cause.STOP),
        ((GameState.NOT_INSTALLED, GameState.STOPPED), GameState.STOPPING, Cause.ORPHAN),
        (_ALIVE, GameState.STOPPED, Cause.EXIT),
        (_ALIVE, GameState.CRASHED, Cause.EXIT),
    )
    for before in sources
)
"""Every change of state there is: from, to, cause."""

_EVENTS: Final = {
    GameState.STARTING: EventKind.STARTING,
    GameState.RUNNING: EventKind.RUNNING,
    GameState.STOPPING: EventKind.STOPPING,
    GameState.STOPPED: EventKind.STOPPED,
    GameState.CRASHED: EventKind.CRASHED,
}


class UnknownTransition(AssertionError):
    """A change of state that `TRANSITIONS` doesn't list: an error of this program."""


@dataclass(frozen=True)
class GameStatus:
    """The state of the game, and how it came to it.

    since         when the state began
    pid           of the process, while there is one
    exit_code     of the last process; negative for the signal that ended it
    reason        one sentence
    version       of the installation that runs, or would
    simulated     whether that is the stand-in
    port          where the game listens, once it is running
    last_lines    the last lines of a crashed game's console
    restart_at    when a crashed game is started again; None when it isn't
    """

    state: GameState
    since: datetime = field(default_factory=clock.now)
    pid: int | None = None
    exit_code: int | None = None
    reason: str | None = None
    version: str | None = None
    simulated: bool = False
    port: int | None = None
    last_lines: tuple[str, ...] = ()
    restart_at: datetime | None = None


class StatusBoard:
    """Holds the status, and wakes whoever waits for it to change. Used on the event loop only.

    A transition that isn't in the table is logged. With `strict`, as in tests, it raises
    `UnknownTransition`; without, the new state is shown nevertheless: an error here must not keep
    anybody from seeing or stopping the game.
    """

    def __init__(self, events: Events, *, strict: bool = False) -> None:
        self.status = GameStatus(GameState.STOPPED)
        self._events = events
        self._strict = strict
        self._changed = asyncio.Event()

    def become(self, state: GameState, cause: Cause, **changes: Any) -> None:
        """Enter a state. Reason, last lines and next start are cleared unless `changes` has them.

        Raises `UnknownTransition` where the board is strict.
        """
        transition = (self.status.state, state, cause)
        if transition not in TRANSITIONS:
            structlog.get_logger().error("unknown_transition", transition=transition)
            if self._strict:
                raise UnknownTransition(" -> ".join(transition))
        cleared: dict[str, Any] = {"reason": None, "last_lines": (), "restart_at": None}
        self._set(replace(self.status, state=state, since=clock.now(), **{**cleared, **changes}))

    def set_program(
        self, *, installed: bool, version: str | None, simulated: bool, hint: str | None = None
    ) -> None:
        """Show which program runs, or would.

        Without one the game is not installed, and the reason is `hint`: how to install it.
        """
        if not installed and self.status.state in {GameState.STOPPED, GameState.CRASHED}:
            self.become(GameState.NOT_INSTALLED, Cause.LOOKUP, reason=hint)
        elif installed and self.status.state is GameState.NOT_INSTALLED:
            self.become(GameState.STOPPED, Cause.LOOKUP)
        if self.status.state in AT_REST:
            self._set(replace(self.status, version=version, simulated=simulated))

    @contextlib.contextmanager
    def installing(self, reason: str) -> Iterator[None]:
        """Show within the context that a version is being installed, then the state before it."""
        before = self.status
        self.become(GameState.INSTALLING, Cause.INSTALLATION, reason=reason)
        try:
            yield
        finally:
            if self.status.state is GameState.INSTALLING:
                details = {name: getattr(before, name) for name in ("reason", "last_lines")}
                restart_at = before.restart_at
                self.become(before.state, Cause.INSTALLATION, restart_at=restart_at, **details)

    def announce(self, text: str) -> None:
        """Log and publish that the present state has begun."""
        structlog.get_logger().info("game", state=self.status.state, reason=text)
        kind = _EVENTS.get(self.status.state)
        if kind is not None:
            self._events.publish(kind, text)

    async def wait_for(self, *states: GameState, seconds: float) -> GameStatus:
        """Return the status as soon as it is one of `states`. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while self.status.state not in states:
                await self._changed.wait()
        return self.status

    async def changed(self, status: GameStatus) -> GameStatus:
        """Return the status as soon as it differs from `status`."""
        while self.status is status:
            await self._changed.wait()
        return self.status

    def _set(self, status: GameStatus) -> None:
        self.status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
