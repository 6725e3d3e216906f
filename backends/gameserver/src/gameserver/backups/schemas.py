"""What goes over the wire, into a backup's archive, and beside it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StrictBool

from bedplate.schemas import MultiLineStr, Schema
from gameserver.versions.numbers import PATTERN

FORMAT: Final = 1
ID_PATTERN: Final = r"^[0-9]{8}-[0-9]{6}-[a-z-]{1,20}-[0-9a-f]{8}$"

GameVersion = Annotated[str, Field(pattern=f"^{PATTERN}$")]
"""A version of the game; who uploads an archive writes its manifest, and may write anything."""


class BackupKind(StrEnum):
    """Why a backup was made: each kind has a retention of its own."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    BEFORE_UPDATE = "before-update"
    BEFORE_RESTORE = "before-restore"
    UPLOADED = "uploaded"


class Member(BaseModel):
    """One file of a backup: its name below the game's data, size in bytes, SHA-256."""

    name: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup holds: the last file in its archive, `manifest.json`.

    game_version   newest version of the game that had run the world; None when unknown
    world          file name of the world, which lies under `Saves/`
    skipped        what was left out: links, pipes, files that couldn't be read
    """

    format: Literal[1] = FORMAT
    kind: BackupKind
    created_at: datetime
    game_version: GameVersion | None = None
    world: str
    members: list[Member]
    skipped: list[str] = Field(default_factory=list)


class PartSize(BaseModel):
    """How much of one part a backup holds."""

    files: int = 0
    bytes: int = 0


class CopyState(StrEnum):
    """Where the off-host copy of a backup stands."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Backup(BaseModel):
    """A backup that stands whole.

    bytes      size of the archive; `sha256` is the archive's
    contents   files and bytes of each part: `Saves`, `Mods`, `serverconfig.json`, …
    skipped    of what was left out, the first hundred names
    local      whether the archive lies here; otherwise only the off-host copy exists
    copy       the off-host copy, where the manager makes any
    """

    id: str = Field(pattern=ID_PATTERN)
    kind: BackupKind
    created_at: datetime
    by: str
    note: str = ""
    game_version: GameVersion | None = None
    world: str
    bytes: int
    sha256: str
    contents: dict[str, PartSize]
    skipped: list[str] = Field(default_factory=list)
    pinned: bool = False
    local: bool = True
    off_host: CopyState | None = None


class NewBackup(Schema):
    """What a client asks for."""

    note: Annotated[str, MultiLineStr(200)] = ""
    pinned: StrictBool = False


class BackupChange(Schema):
    """What of a backup can be changed. A pinned one is never deleted, by nobody."""

    pinned: StrictBool


class RestoreScope(StrEnum):
    """What a restore brings back."""

    WHOLE = "whole"
    WORLD = "world"


class NewRestore(Schema):
    """How a backup is restored.

    scope   `whole`: world, players, mods and settings as they were; `world`: the world alone
    stop    stop a game that runs, and start it again afterwards
    force   also restore a world that a newer version of the game has run
    """

    scope: RestoreScope = RestoreScope.WHOLE
    stop: StrictBool = False
    force: StrictBool = False
