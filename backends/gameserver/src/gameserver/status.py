"""What the game is doing."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bedplate import clock


class GameState(StrEnum):
    """What the game is doing. It is running once it says that it listens."""

    NOT_INSTALLED = "not_installed"
    INSTALLING = "installing"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    CRASHED = "crashed"


AT_REST = frozenset(
    {GameState.NOT_INSTALLED, GameState.INSTALLING, GameState.STOPPED, GameState.CRASHED}
)
"""States in which there is no process."""


@dataclass(frozen=True)
class GameStatus:
    """The state of the game, and how it came to it.

    since: when the state began. pid: of the process, while there is one. exit_code: of the last
    process; negative is the signal that ended it. reason: one sentence. version: of the
    installation that runs, or would. simulated: whether that is the stand-in. port: where it
    listens, once it is running. last_lines: what a crashed game said last. restart_at: when it is
    started again after a crash; None when it isn't.
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
