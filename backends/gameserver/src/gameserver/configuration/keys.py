"""Every key of the game's serverconfig.json: its type, range and meaning (reference, section 9).

A key within `WorldConfig` is named with a dot: `WorldConfig.PlayStyle`. What isn't in this table
stays in the file as it is.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, JsonValue, StrictBool, TypeAdapter, create_model
from pydantic.alias_generators import to_snake

from bedplate.schemas import MultiLineStr, Schema, WholeNumber

LARGEST: Final = 2**31 - 1

Text = Annotated[str, MultiLineStr(500)]
LongerText = Annotated[str, MultiLineStr(5_000)]
Items = Annotated[list[Annotated[str, MultiLineStr(1_000)]], Field(max_length=1_000)]
Members = dict[str, JsonValue]


class Role(Schema):
    """A role, as far as it is judged here; further members pass as they are."""

    model_config = ConfigDict(extra="allow")

    Code: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
    PrivilegeLevel: Annotated[int, WholeNumber(-1, 99_999)]


@dataclass(frozen=True)
class Key:
    """One key: how it is typed, what it means, and whether the console can change it.

    command     what follows `/serverconfig `; None when only the file can be changed
    secret      hidden from whoever may only look
    locked      kept by the game itself: shown, never changed
    """

    name: str
    type: Any
    meaning: str
    command: str | None = None
    secret: bool = False
    locked: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """The members that lead to it."""
        return tuple(self.name.split("."))


def whole(minimum: int = 0, maximum: int = LARGEST) -> Any:
    """Return the type of a whole number within a range."""
    return Annotated[int, WholeNumber(minimum, maximum)]


def number(minimum: float, maximum: float) -> Any:
    """Return the type of a number within a range."""
    return Annotated[float, Field(strict=True, ge=minimum, le=maximum, allow_inf_nan=False)]


def _world(name: str, kind: Any, meaning: str, *, locked: bool = False) -> Key:
    return Key(f"WorldConfig.{name}", kind, meaning, locked=locked)


KEYS: Final = (
    Key("FileEditWarning", Text | None, "A notice to whoever edits the file", locked=True),
    Key("ConfigVersion", Text | None, "Version of the file's form", locked=True),
    Key("ServerName", Text, "Name of the server in lists", "name"),
    Key("ServerUrl", Text | None, "A web page of the server", "url"),
    Key("ServerDescription", LongerText | None, "What the server is about", "description"),
    Key("WelcomeMessage", LongerText | None, "Greeting; {0} is the player's name", "welcome"),
    Key("Ip", Text | None, "Address to listen on; null is all"),
    Key("Port", whole(1, 65_535), "TCP and UDP port"),
    Key("Upnp", StrictBool, "Ask the router to forward the port", "upnp"),
    Key("CompressPackets", StrictBool, "Compress what is sent to players"),
    Key("AdvertiseServer", StrictBool, "Show the server in the public list", "advertise"),
    Key("MaxClients", whole(1, 1_000), "Players at the same time", "maxclients"),
    Key("MaxClientsInQueue", whole(0, 1_000), "Players that may wait", "maxclientsinqueue"),
    Key("PassTimeWhenEmpty", StrictBool, "Time passes while nobody plays", "passtimewhenempty"),
    Key("MasterserverUrl", Text | None, "The public list of servers"),
    Key("ModDbUrl", Text | None, "The mod database that the game itself asks"),
    Key("ClientConnectionTimeout", whole(1, 86_400), "Seconds until a silent player is dropped"),
    Key("EntityDebugMode", StrictBool, "Show debug data of entities", "entitydebugmode"),
    Key("Password", Text | None, "Needed to join; null is none", "password", secret=True),
    Key("MapSizeX", whole(32, 67_108_864), "Blocks, for new worlds"),
    Key("MapSizeY", whole(32, 16_384), "Blocks, for new worlds"),
    Key("MapSizeZ", whole(32, 67_108_864), "Blocks, for new worlds"),
    Key("ServerLanguage", Text, "Language of the server's own texts, such as en"),
    Key("MaxChunkRadius", whole(1, 128), "Chunks that players may see far", "maxchunkradius"),
    Key("TickTime", number(1, 1_000), "Milliseconds of one tick"),
    Key("SpawnCapPlayerScaling", number(0, 100), "More creatures with more players",
        "spawncapplayerscaling"),
    Key("BlockTickChunkRange", whole(0, 100), "Chunks around players in which blocks tick"),
    Key("MaxMainThreadBlockTicks", whole(0), "Block ticks within one server tick"),
    Key("RandomBlockTicksPerChunk", whole(0, 10_000), "Random block ticks", "blockTicksPerChunk"),
    Key("BlockTickInterval", whole(1), "Milliseconds between random block ticks"),
    Key("SkipEveryChunkRow", whole(), "Rows of chunks left out when generating"),
    Key("SkipEveryChunkRowWidth", whole(), "How wide such a row is"),
    Key("Roles", Annotated[list[Role], Field(min_length=1, max_length=100)], "Roles of players"),
    Key("DefaultRoleCode", Text, "Role of a new player"),
    Key("ModPaths", Items, "Folders of mods; relative ones lie in the game's own folder"),
    Key("AntiAbuse", whole(0, 10), "How strictly odd behaviour is punished"),
    _world("Design", JsonValue, "Design of the world", locked=True),
    _world("SaveFileLocation", Text | None, "The world's file"),
    _world("WorldName", Text | None, "Name of a new world"),
    _world("AllowCreativeMode", StrictBool, "Players may be in creative mode"),
    _world("PlayStyle", Text | None, "surviveandbuild, exploration, wildernesssurvival, …"),
    _world("PlayStyleLangCode", Text | None, "Text of the play style"),
    _world("WorldType", Text | None, "standard or superflat, for a new world"),
    _world("WorldConfiguration", Members | None, "Rules of a new world"),
    _world("MapSizeY", whole(32, 16_384) | None, "Height of a new world in blocks"),
    _world("CreatedByPlayerName", Text | None, "Who made the world", locked=True),
    _world("DisabledMods", Items | None, "Mods that the world doesn't load, as id@version"),
    _world("RepairMode", StrictBool, "Load damaged worlds as far as possible"),
    Key("NextPlayerGroupUid", whole(), "Counter of groups", locked=True),
    Key("GroupChatHistorySize", whole(0, 10_000), "Lines of chat that are kept"),
    Key("MaxOwnedGroupChannelsPerUser", whole(0, 10_000), "Groups that a player may own"),
    Key("OnlyWhitelisted", StrictBool, "Older form of WhitelistMode"),
    Key("WhitelistMode", whole(0, 2), "0 default (on for dedicated servers), 1 off, 2 on",
        "whitelistmode"),
    Key("VerifyPlayerAuth", StrictBool, "Players must have an account"),
    Key("DefaultSpawn", Members | None, "Where new players begin"),
    Key("AllowPvP", StrictBool, "Players may fight each other", "allowpvp"),
    Key("AllowFireSpread", StrictBool, "Fire spreads", "allowfirespread"),
    Key("AllowFallingBlocks", StrictBool, "Loose blocks fall", "allowfallingblocks"),
    Key("HostedMode", StrictBool, "For hosting companies: takes commands away"),
    Key("HostedModeAllowMods", StrictBool, "Mods in hosted mode"),
    Key("VhIdentifier", Text | None, "Identifier of a hosted server", secret=True, locked=True),
    Key("ServerIdentifier", Text | None, "Identifier in the public list", secret=True, locked=True),
    Key("StartupCommands", LongerText | None, "Commands run at each start", secret=True),
    Key("RepairMode", StrictBool, "Load damaged worlds as far as possible"),
    Key("AnalyzeMode", StrictBool, "Look for damage while loading"),
    Key("CorruptionProtection", StrictBool, "Guard against damaged chunks"),
    Key("RegenerateCorruptChunks", StrictBool, "Make damaged chunks anew"),
    Key("ChatRateLimitMs", whole(0, 3_600_000), "Milliseconds between two chat messages"),
    Key("DieBelowDiskSpaceMb", whole(-1), "Free megabytes below which the game ends; -1 never"),
    Key("DieAboveErrorCount", whole(), "Errors after which the game ends"),
    Key("DieAboveMemoryUsageMb", whole(), "Megabytes of memory at which the game ends"),
    Key("LogBlockBreakPlace", StrictBool, "Log every block that is broken or placed"),
    Key("LogFileSplitAfterLine", whole(1_000), "Lines after which a new log file begins"),
    Key("LoginFloodProtection", StrictBool, "Slow down many logins", "loginfloodprotection"),
    Key("TemporaryIpBlockList", StrictBool, "Block such addresses a while",
        "temporaryipblocklist"),
    Key("DisableModSafetyCheck", StrictBool, "Load mods without looking at their code"),
    Key("ModIdBlackList", Items | None, "Mods that are never loaded"),
    Key("ModIdWhiteList", Items | None, "The only mods that are loaded"),
    Key("WarnClientsAfterAfkSeconds", whole(), "Since 1.22; 0 is never"),
    Key("KickClientsAfterAfkSeconds", whole(), "Since 1.22; 0 is never"),
    Key("LastLaunchMods", JsonValue, "Mods of the last start", locked=True),
)  # fmt: skip

BY_NAME: Final = {key.name: key for key in KEYS}
CHANGEABLE: Final = {key.name: key for key in KEYS if not key.locked}
ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {
    key.name: TypeAdapter(key.type) for key in CHANGEABLE.values()
}

_fields: dict[str, Any] = {
    to_snake(key.name.replace(".", "_")): (
        key.type,
        Field(default=None, alias=key.name, description=key.meaning),
    )
    for key in CHANGEABLE.values()
}


def _without_defaults(schema: dict[str, Any]) -> None:
    """Leave defaults out: a generated client would send them, and change what it never named."""
    for member in schema["properties"].values():
        member.pop("default", None)


class _Patch(Schema):
    """Keys of serverconfig.json with new values: only those that are sent change."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def changes(self) -> dict[str, JsonValue]:
        """Return the new values by the names of their keys."""
        changes: dict[str, JsonValue] = self.model_dump(
            mode="json", by_alias=True, exclude_unset=True
        )
        return changes


SettingsPatch = create_model("SettingsPatch", __base__=_Patch, **_fields)
