"""Changes of settings that wait until the game is down: it rewrites its file while it runs."""

from datetime import datetime

from pydantic import BaseModel, Field, JsonValue


class QueuedChange(BaseModel):
    """A new value, and those that it may replace.

    applied   the running game has confirmed it; it waits only in case the game doesn't write it
    """

    value: JsonValue
    former: list[JsonValue]
    by: str
    at: datetime
    applied: bool = False


class SkippedChange(BaseModel):
    """A change that was dropped: somebody else changed the same key meanwhile."""

    key: str
    by: str
    at: datetime


class SettingsQueue(BaseModel):
    """The document: what waits, by key, and what was dropped at the last start."""

    changes: dict[str, QueuedChange] = Field(default_factory=dict)
    skipped: list[SkippedChange] = Field(default_factory=list)
