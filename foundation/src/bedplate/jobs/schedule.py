"""Schedules, their runs, and the document that stores both."""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, field_validator

from bedplate.jobs.cron import MAX_EXPRESSION_LENGTH, MAX_ZONE_LENGTH, Cron, zone_named
from bedplate.schemas import Schema, SingleLineStr, WholeNumber

Action = TypeVar("Action")
MAX_NAME_LENGTH = 80
MAX_TEXT_LENGTH = 500
MAX_MINUTES_LATE = 7 * 24 * 60


class MissedRuns(StrEnum):
    """What happens when a moment was missed: the process was down, or the machine asleep."""

    SKIP = "skip"
    RUN_ONCE = "run_once"


class Trigger(StrEnum):
    """Why a run came."""

    SCHEDULE = "schedule"
    MISSED = "missed"
    MANUAL = "manual"


class RunState(StrEnum):
    """What became of a run. `interrupted`: it was cancelled, or the process ended meanwhile."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class ScheduleNew(Schema, Generic[Action]):
    """What a client sends to make a schedule, or to replace one.

    missed_within_minutes   with `run_once`: how late a missed run may still come
    """

    name: Annotated[str, SingleLineStr(MAX_NAME_LENGTH)]
    cron: str = Field(max_length=MAX_EXPRESSION_LENGTH, examples=["0 4 * * *"])
    zone: str = Field("UTC", max_length=MAX_ZONE_LENGTH, examples=["Europe/Berlin"])
    enabled: StrictBool = True
    missed: MissedRuns = MissedRuns.SKIP
    missed_within_minutes: Annotated[int, WholeNumber(1, MAX_MINUTES_LATE)] = 60
    action: Action

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        zone_named(zone)
        return zone

    @field_validator("cron")
    @classmethod
    def _readable_cron(cls, expression: str) -> str:
        return " ".join(Cron(expression).expression.split())


class Schedule(ScheduleNew[Action], Generic[Action]):
    """A schedule as it is kept.

    version         grows with every change by a client; its ETag
    counted_until   moments up to this one have been dealt with
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    version: int = 1
    created_at: AwareDatetime
    counted_until: AwareDatetime

    @cached_property
    def _cron(self) -> Cron:
        return Cron(self.cron, self.zone)

    def next_due(self) -> datetime | None:
        """Return the first moment that has not been dealt with; None when it never comes."""
        return self._cron.next_after(self.counted_until) if self.enabled else None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when it comes next after `moment`; None when it is off, or never comes."""
        return self._cron.next_after(moment) if self.enabled else None

    def latest_until(self, moment: datetime) -> datetime | None:
        """Return when it should have come last, `moment` included."""
        return self._cron.latest_until(moment)


class Run(BaseModel):
    """One run of a schedule.

    due     the moment it was meant for; None when a person asked for it
    by      who asked for it
    times   more than 1 when the same skip came several times in a row
    text    one sentence on what came of it; the error of one that failed
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    schedule_id: UUID
    trigger: Trigger
    state: RunState
    due: AwareDatetime | None = None
    by: str | None = None
    began_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    times: int = 1
    text: str | None = None


class StoredSchedules(BaseModel, Generic[Action]):
    """The document of a `ScheduleStore`; the runs of a schedule are in the order of their start."""

    schedules: list[Schedule[Action]] = []
    runs: list[Run] = []


def kind_of(action: Any) -> str:
    """Return the name of a kind of action: its `kind`, or that of its type."""
    return str(getattr(action, "kind", type(action).__name__))
