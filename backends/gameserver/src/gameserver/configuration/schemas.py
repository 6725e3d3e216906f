from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, JsonValue


class Outcome(StrEnum):
    """The outcome of a change.

    applied   the running game has confirmed it
    queued    it is written before the next start
    written   it is in the file, which the game reads at its next start
    """

    APPLIED = "applied"
    QUEUED = "queued"
    WRITTEN = "written"


class Setting(BaseModel):
    """One key of serverconfig.json.

    value     null for a secret without the admin key; `is_set` says whether it has a value
    queued    whether a new value waits; `value` is the game's present one
    live      whether the console of a running game can change it
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
    """The stored document: queued changes by key, and those dropped at the last start."""

    changes: dict[str, QueuedChange] = {}
    skipped: list[SkippedChange] = []


class GameSettings(BaseModel):
    """Every known key, the file's other keys, and hints for the owner.

    exists   false before the first start; then the values are null
    other    keys without a known meaning, as they are in the file; empty without the admin key
    """

    exists: bool
    settings: list[Setting]
    other: dict[str, JsonValue]
    skipped: list[SkippedChange]
    hints: list[str]


class Changed(BaseModel):
    """The outcome of one key; `reason` says why its value was queued."""

    outcome: Outcome
    reason: str | None = None


class SettingsChanged(BaseModel):
    """The outcome of each key that was sent."""

    results: dict[str, Changed]
