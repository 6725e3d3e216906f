from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool

from bedplate.jobs.schedule import MissedRuns, Run
from bedplate.jobs.schedule import Schedule as KeptSchedule
from bedplate.jobs.schedule import ScheduleNew as NewSchedule
from bedplate.jobs.schedule import StoredSchedules as Stored
from bedplate.problems import ProblemError
from bedplate.schemas import MultiLineStr, Schema, SingleLineStr, WholeNumber
from gameserver.console.sanitize import MAX_COMMAND_BYTES, check_command

MAX_WARNING_SECONDS: Final = 2 * 3600
MAX_WARNINGS: Final = 10
MAX_WAIT_SECONDS: Final = 24 * 3600
TIME: Final = "{time}"

LineOfChat = Annotated[str, SingleLineStr(300, printable=True)]
"""What players read: one line, without control characters."""


def _once_each(seconds: list[int]) -> list[int]:
    return sorted(set(seconds), reverse=True)


Warnings = Annotated[
    list[Annotated[int, WholeNumber(1, MAX_WARNING_SECONDS)]],
    Field(max_length=MAX_WARNINGS),
    AfterValidator(_once_each),
]
"""Seconds before the event at which players are warned, each once, the longest first."""


class Warned(Schema):
    """How players are warned before the game goes down, and how long to wait until they leave.

    warn_seconds      before the end; the longest is how long it takes. Nobody online, no wait
    warning           what they read; `{time}` is the time left: `10 min`, `30 s`
    wait_until_empty  first wait until nobody is online
    wait_seconds      at most; then the players who are still online are warned
    """

    warn_seconds: Warnings = Field([600, 300, 60], validate_default=False)
    warning: LineOfChat = f"The server goes down in {TIME}."
    wait_until_empty: StrictBool = False
    wait_seconds: Annotated[int, WholeNumber(1, MAX_WAIT_SECONDS)] = 3600


class RestartAction(Warned):
    """Restarts a running game, with warnings to players."""

    kind: Literal["restart"]
    warning: LineOfChat = f"The server restarts in {TIME}."


class StopAction(Warned):
    """Stops a running game, with warnings to players; it stays down."""

    kind: Literal["stop"]


class StartAction(Schema):
    """Starts a game that is down."""

    kind: Literal["start"]


class BackupAction(Schema):
    """Makes a backup, of the kind `scheduled`."""

    kind: Literal["backup"]
    note: Annotated[str, MultiLineStr(200)] = ""


class PruneAction(Schema):
    """Deletes the backups beyond the number that is kept of each kind."""

    kind: Literal["prune"]


def _command(text: str) -> str:
    try:
        return check_command(text, allow_selectors=True)
    except ProblemError as error:
        raise ValueError(error.detail) from None


class CommandAction(Schema):
    """Types a command into the console of a running game."""

    kind: Literal["command"]
    command: Annotated[str, Field(max_length=MAX_COMMAND_BYTES), AfterValidator(_command)]
    allow_selectors: StrictBool = False


class AnnouncementAction(Schema):
    """Says something to everybody online."""

    kind: Literal["announcement"]
    text: LineOfChat


class UpdateCheckAction(Schema):
    """Checks for updates of the game and of its mods; new ones are published as an event."""

    kind: Literal["update_check"]
    game: StrictBool = True
    mods: StrictBool = True


Action = Annotated[
    RestartAction
    | StopAction
    | StartAction
    | BackupAction
    | PruneAction
    | CommandAction
    | AnnouncementAction
    | UpdateCheckAction,
    Field(discriminator="kind"),
]
"""What a schedule does."""


class ScheduleNew(NewSchedule[Action]):
    """What a client sends to make a schedule, or to replace one.

    cron                    five fields: minute, hour, day of month, month, day of week
    zone                    IANA name of the time zone in which they count
    missed                  what happens when the manager was down, or the machine asleep, then
    missed_within_minutes   with `run_once`: how late a missed run may still come
    """


Kept = KeptSchedule[Action]
StoredSchedules = Stored[Action]


class Schedule(BaseModel):
    """A schedule as clients see it. `next_run` is None for one that is off."""

    id: UUID
    version: int
    created_at: AwareDatetime
    name: str
    cron: str
    zone: str
    enabled: bool
    missed: MissedRuns
    missed_within_minutes: int
    action: Action
    next_run: datetime | None
    running: bool
    last_run: Run | None
