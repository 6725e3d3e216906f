"""What goes over the wire, and what is stored. Text from mods and their database is untrusted."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool, StringConstraints

from bedplate.schemas import MultiLineStr, Schema
from gameserver.mods.folder import FileKind
from gameserver.mods.listing import ListedMod, ModPage

MAX_REQUIREMENTS = 100

ModId = Annotated[
    str, StringConstraints(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"), AfterValidator(str.lower)
]
"""An id in any case, as the mod database shows it; ids are compared in lower case."""

Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,63}$")]
Action = Literal["install", "update", "downgrade", "replace"]
URL = Annotated[str, MultiLineStr(2_000)]


class Origin(StrEnum):
    """Where a mod's file came from."""

    DATABASE = "database"
    URL = "url"
    UPLOAD = "upload"
    HAND = "hand"


class Suits(StrEnum):
    """How well a release suits the installed game.

    exact     it names this version
    series    it names another version of the same series (1.21.0 for 1.21.6): usually works
    no        it names only versions of other series
    unknown   no game is installed, or the release names no version
    """

    EXACT = "exact"
    SERIES = "series"
    NO = "no"
    UNKNOWN = "unknown"


class InstalledMod(BaseModel):
    """A file or folder in Mods/, and the mod in it. `mod_id` is null where there is no modinfo.

    origin            hand: somebody put it there without the manager
    changed_by_hand   the manager installed it, and its content has changed since
    problem           why the game won't load it, or what it said of it at its last start, or null
    """

    mod_id: str | None
    name: str
    version: str
    file: str
    kind: FileKind
    size: int
    enabled: bool
    pinned: bool
    side: str | None
    required_on_client: bool | None
    description: str
    authors: list[str]
    website: str
    dependencies: dict[str, str]
    origin: Origin
    changed_by_hand: bool
    installed_at: AwareDatetime | None
    installed_by: str | None
    problem: str | None


class Mods(BaseModel):
    """All mods. `missing`: installed, then removed by hand. `problems`: why mods can't load."""

    game_version: str | None
    mods: list[InstalledMod]
    missing: list[str]
    problems: list[dict[str, str]]


class RequestedMod(Schema):
    """A mod to install: this version, or without one the newest that suits the game."""

    mod_id: ModId
    version: Version | None = None


class ChangeOptions(Schema):
    """How a change of mods is made.

    restart                 stop the game for it, and start it again; else the game must be stopped
    rollback_if_not_ready   restore the former mods if the game isn't ready afterwards
    """

    restart: StrictBool = False
    rollback_if_not_ready: StrictBool = False


class InstallMods(ChangeOptions):
    """Which mods to install, with what they depend on."""

    mods: Annotated[list[RequestedMod], Field(min_length=1, max_length=MAX_REQUIREMENTS)]
    any_game_version: StrictBool = False


class InstallFromURL(ChangeOptions):
    """A mod's file on an allowed host, and if known the id that it must have."""

    url: URL
    mod_id: ModId | None = None
    any_game_version: StrictBool = False


class UpdateMods(ChangeOptions):
    """Which mods to update; without `mods` all that are enabled and not pinned."""

    mods: Annotated[list[ModId], Field(min_length=1, max_length=MAX_REQUIREMENTS)] | None = None
    any_game_version: StrictBool = False


class PlanMods(Schema):
    """What a change would do: `mods` are installed, and with `update_all` all others updated."""

    mods: list[RequestedMod] = Field(default_factory=list, max_length=MAX_REQUIREMENTS)
    update_all: StrictBool = False
    any_game_version: StrictBool = False


class RemoveMod(ChangeOptions):
    """How a mod is removed, disabled or enabled; `force` ignores dependencies."""

    force: StrictBool = False


class RollBack(ChangeOptions):
    """Which change to undo, with all after it: by default the last.

    `force` overwrites what was changed by hand since.
    """

    change: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None = None
    force: StrictBool = False


class Step(BaseModel):
    """The change of one mod. `replaces` are the files in Mods/ that are removed."""

    action: Action
    mod_id: str
    name: str
    from_version: str | None
    to_version: str
    file: str
    replaces: list[str]
    suits: Suits
    origin: Origin


class Plan(BaseModel):
    """What a change would do, every reason that prevents it, and warnings that don't."""

    game_version: str | None
    steps: list[Step]
    conflicts: list[dict[str, str]]
    warnings: list[dict[str, str]]


class ModChange(BaseModel):
    """A change of mods that can be rolled back to the state before it."""

    id: str
    at: AwareDatetime
    by: str
    text: str
    files: list[str]


class ModUpdate(BaseModel):
    """A newer release that suits the game; an update of all mods skips `pinned` ones."""

    mod_id: str
    name: str
    version: str
    newest: str
    suits: Suits
    pinned: bool
    changelog: str


class ModUpdates(BaseModel):
    """What could be updated. `stale`: the mod database is away, this is from the cache."""

    game_version: str | None
    updates: list[ModUpdate]
    unknown: list[str] = Field(description="Ids that the mod database doesn't know")
    stale: bool


class ModListing(BaseModel):
    """A page of the mod database. `stale`: it is away, this is from the cache."""

    total: int
    mods: list[ListedMod]
    stale: bool
    fetched_at: AwareDatetime


class ModDetail(BaseModel):
    """A mod of the mod database. `recommended` is the version that would be installed now."""

    mod: ModPage
    recommended: dict[str, str] = Field(description="By mod id: a page may hold several")
    installed: dict[str, str] = Field(description="By mod id: the version on this server")
    stale: bool
    fetched_at: AwareDatetime


class Names(BaseModel):
    """Names that the mod database uses."""

    names: list[str]
    stale: bool
    fetched_at: AwareDatetime


class ClientMod(BaseModel):
    """A mod that players need. `url` is where its file is, if the manager knows."""

    mod_id: str
    name: str
    version: str
    url: str | None


class ClientMods(BaseModel):
    """What players must have installed to join."""

    game_version: str | None
    mods: list[ClientMod]


class Record(BaseModel):
    """A file that the manager installed. `sha256` shows whether it was changed by hand since."""

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

    former   its name in the generation's folder; None for a new file
    sha256   of the file since then; None for a removed one
    """

    name: str
    former: str | None
    sha256: str | None


class Generation(BaseModel):
    """The state of Mods/ before one change, limited to what the change touched."""

    id: str
    at: datetime
    by: str
    text: str
    files: list[FileChange]
    records: dict[str, Record | None]


class ModsState(BaseModel):
    """What is stored. `generations` are the changes that can be rolled back, the oldest first."""

    records: dict[str, Record] = Field(default_factory=dict)
    pinned: list[str] = Field(default_factory=list)
    generations: list[Generation] = Field(default_factory=list)
