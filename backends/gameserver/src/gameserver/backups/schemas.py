from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StrictBool

from bedplate.schemas import MultiLineStr, Schema
from gameserver.archives.unpacking import ArchivedFile
from gameserver.version_numbers import PATTERN

ID_PATTERN: Final = r"^[0-9]{8}-[0-9]{6}-[a-z-]{1,20}-[0-9a-f]{8}$"

GameVersion = Annotated[str, Field(pattern=f"^{PATTERN}$")]
"""A version of the game. Checked, since whoever uploads an archive wrote its manifest."""


class BackupKind(StrEnum):
    """Why a backup was made; each kind has its own retention."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    BEFORE_UPDATE = "before-update"
    BEFORE_RESTORE = "before-restore"
    UPLOADED = "uploaded"


class Manifest(BaseModel):
    """The content of a backup: the last file in its archive, `manifest.json`. A stored format.

    game_version   newest version of the game that had run the world; None if unknown
    world          file name of the world, which is under `Saves/`
    members        the other files of the archive, by their path below the game's data
    skipped        files that were left out: links, pipes, unreadable files, unusable names
    world_only     somebody uploaded the world alone: a restore leaves everything else as it is
    """

    format: Literal[1] = 1
    kind: BackupKind
    created_at: datetime
    game_version: GameVersion | None = None
    world: str
    members: list[ArchivedFile]
    skipped: list[str] = Field(default_factory=list)
    world_only: bool = False


class PartSize(BaseModel):
    """Number and size of the files of one part of a backup."""

    files: int = 0
    bytes: int = 0


class CopyState(StrEnum):
    """State of a backup's off-host copy."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Backup(BaseModel):
    """A complete backup.

    bytes      size of the archive; `sha256` is the archive's
    contents   files and bytes of each part: `Saves`, `Mods`, `serverconfig.json`, …
    skipped    the first hundred names of files that were left out
    local      whether the archive is on this host; otherwise only the off-host copy exists
    off_host   state of the off-host copy; None if the manager makes none
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
    """Options of a new backup."""

    note: Annotated[str, MultiLineStr(200)] = ""
    pinned: StrictBool = False


class BackupChange(Schema):
    """A change of a backup. A pinned one can't be deleted, by anybody."""

    pinned: StrictBool


class RestoreScope(StrEnum):
    """What a restore replaces."""

    WHOLE = "whole"
    WORLD = "world"


class NewRestore(Schema):
    """Options of a restore.

    scope          `whole`: world, players, mods and settings as they were; `world`: only the world
    stop           stop a running game, and start it again afterwards
    start          false: leave a game that was stopped for it down
    with_version   also make the version of the game that had run the world the current one
    force          also restore a world that a newer version of the game has run
    """

    scope: RestoreScope = RestoreScope.WHOLE
    stop: StrictBool = False
    start: StrictBool = True
    with_version: StrictBool = False
    force: StrictBool = False
