"""What the manager remembers of mods: what it installed, what is pinned, what changed when."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field


class Origin(StrEnum):
    """Where a mod's file came from."""

    DATABASE = "database"
    URL = "url"
    UPLOAD = "upload"
    HAND = "hand"


class Record(BaseModel):
    """A file that the manager installed. `sha256` tells whether a hand changed it since."""

    mod_id: str
    version: str
    file: str
    sha256: str
    origin: Origin
    url: str | None = None
    installed_at: datetime
    installed_by: str


class FileChange(BaseModel):
    """What a change did to one file in Mods/.

    former   its name in the generation's folder; None when the file is new
    sha256   of what lies there since; None when nothing does
    """

    name: str
    former: str | None
    sha256: str | None


class Generation(BaseModel):
    """The state of Mods/ before one change, as far as the change touched it."""

    id: str
    at: datetime
    by: str
    text: str
    files: list[FileChange]
    records: dict[str, Record | None]


class ModsState(BaseModel):
    """The document. `generations` are the changes that can be rolled back, the oldest first."""

    records: dict[str, Record] = Field(default_factory=dict)
    pinned: list[str] = Field(default_factory=list)
    generations: list[Generation] = Field(default_factory=list)
