from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, JsonValue


class Outcome(StrEnum):
    """What became of a change.

    applied   the running game has confirmed it
    queued    it is written before the next start
    written   it is in the file, which the game reads at its next start
    """

    APPLIED = "applied"
    QUEUED = "queued"
    WRITTEN = "written"


class Setting(BaseModel):
    """One key of serverconfig.json.

    value     null for a secret that only an admin sees; `is_set` says whether there is one
    queued    whether a new value waits; `value` is the one that the game has now
    live      whether a running game can take it
    """

    key: str
    value: JsonValue
    is_set: bool
    queued: bool
    queued_value: JsonValue = None
    live: bool
    locked: bool
    secret: bool
    meaning: str
    accepts: dict[str, Any] = Field(description="JSON Schema of the value")


class QueuedChange(BaseModel):
    """A new value that waits until the game is down, and the values that it may replace.

    applied   the running game has confirmed it; it waits only in case the game doesn't write it
    """

    value: JsonValue
    former: list[JsonValue]
    by: str
    at: AwareDatetime
    applied: bool = False


class SkippedChange(BaseModel):
    """A change that was dropped: somebody else changed the same key meanwhile."""

    key: str
    by: str
    at: AwareDatetime


class SettingsQueue(BaseModel):
    """The stored document: what waits, by key, and what was dropped at the last start."""

    changes: dict[str, QueuedChange] = {}
    skipped: list[SkippedChange] = []


class GameSettings(BaseModel):
    """Every key, keys that only the file knows, and what a person should know.

    exists   false before the first start; then the values are null
    other    keys that aren't in our table, as they are; empty for whoever may only look
    """

    exists: bool
    settings: list[Setting]
    other: dict[str, JsonValue]
    skipped: list[SkippedChange]
    hints: list[str]


class Changed(BaseModel):
    """What became of one key; `reason` says why a live one had to be queued."""

    outcome: Outcome
    reason: str | None = None


class SettingsChanged(BaseModel):
    """What became of each key that was sent."""

    results: dict[str, Changed]
