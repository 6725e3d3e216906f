"""Every key of the game's serverconfig.json: type, range, default, meaning (reference, section 9).

A key within `WorldConfig` is named with a dot: `WorldConfig.PlayStyle`. What isn't in this table
stays in the file as it is.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, JsonValue, StrictBool, TypeAdapter, create_model
from pydantic.alias_generators import to_snake

from bedplate.schemas import MultiLineStr, Schema, WholeNumber

MAX_INT32: Final = 2**31 - 1

Text = Annotated[str, MultiLineStr(500)]
LongerText = Annotated[str, MultiLineStr(5_000)]
Items = Annotated[list[Annotated[str, MultiLineStr(1_000)]], Field(max_length=1_000)]
Members = dict[str, JsonValue]


class Role(Schema):
    """A role: these two members are validated, others pass unchanged."""

    model_config = ConfigDict(extra="allow")

    Code: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
    PrivilegeLevel: Annotated[int, WholeNumber(-1, 99_999)]


@dataclass(frozen=True)
class Key:
    """One key: its type, its meaning, and whether the console can change it.

    default     what the game writes at its first start; Roles and paths are made at that start
    command     what follows `/serverconfig `; None when only the file can be changed
    secret      hidden without the admin key
    locked      kept by the game itself: listed, never changed
    since       the beginning of the game versions whose first start writes it
    """

    name: str
    type: Any
    default: Any
    meaning: str
    command: str | None = None
    secret: bool = False
    locked: bool = False
    since: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The members that lead to it."""
        return tuple(self.name.split("."))


def whole(minimum: int = 0, maximum: int = MAX_INT32) -> Any:
    """Return the type of a whole number within a range."""
    return Annotated[int, WholeNumber(minimum, maximum)]


def number(minimum: float, maximum: float) -> Any:
    """Return the type of a number within a range."""
    return Annotated[float, Field(strict=True, ge=minimum, le=maximum, allow_inf_nan=False)]


_WARNING: Final = (
    "PLEASE NOTE: This file is also loaded when you start a single player world. If you want to "
    "run a dedicated server without affecting single player, we recommend you install the game "
    "into a different folder and run the server from there."
)

KEYS: Final = (
    Key("FileEditWarning", Text | None, _WARNING,
        "A notice to whoever edits the file", locked=True),
    Key("ConfigVersion", Text | None, "1.9", "Version of the file's form", locked=True),
    Key("ServerName", Text, "Vintage Story Server", "Name of the server in lists", "name"),
    Key("ServerUrl", Text | None, None, "A web page of the server", "url"),
    Key("ServerDescription", LongerText | None, None, "What the server is about", "description"),
    Key("WelcomeMessage", LongerText | None, "Welcome {0}, may you survive well and prosper",
        "Greeting; {0} is the player's name", "welcome"),
    Key("Ip", Text | None, None, "Address to listen on; null is all"),
    Key("Port", whole(1, 65_535), 42_420, "TCP and UDP port"),
    Key("Upnp", StrictBool, False, "Ask the router to forward the port", "upnp"),
    Key("CompressPackets", StrictBool, True, "Compress what is sent to players"),
    Key("AdvertiseServer", StrictBool, False, "Show the server in the public list", "advertise"),
    Key("MaxClients", whole(1, 1_000), 16, "Players at the same time", "maxclients"),
    Key("MaxClientsInQueue", whole(0, 1_000), 0, "Players that may wait", "maxclientsinqueue"),
    Key("PassTimeWhenEmpty", StrictBool, False,
        "Time passes while nobody plays", "passtimewhenempty"),
    Key("MasterserverUrl", Text | None, "http://masterserver.vintagestory.at/api/v1/servers/",
        "The public list of servers"),
    Key("ModDbUrl", Text | None, "https://mods.vintagestory.at/",
        "The mod database that the game itself asks"),
    Key("ClientConnectionTimeout", whole(1, 86_400), 150,
        "Seconds until a silent player is dropped"),
    Key("EntityDebugMode", StrictBool, False, "Show debug data of entities", "entitydebugmode"),
    Key("Password", Text | None, None, "Needed to join; null is none", "password", secret=True),
    Key("MapSizeX", whole(32, 67_108_864), 1_024_000, "Blocks, for new worlds"),
    Key("MapSizeY", whole(32, 16_384), 256, "Blocks, for new worlds"),
    Key("MapSizeZ", whole(32, 67_108_864), 1_024_000, "Blocks, for new worlds"),
    Key("ServerLanguage", Text, "en", "Language of the server's own texts, such as en"),
    Key("MaxChunkRadius", whole(1, 128), 12, "Chunks that players may see far", "maxchunkradius"),
    Key("TickTime", number(1, 1_000), 33.333332, "Milliseconds of one tick"),
    Key("SpawnCapPlayerScaling", number(0, 100), 0.5,
        "More creatures with more players", "spawncapplayerscaling"),
    Key("BlockTickChunkRange", whole(0, 100), 5, "Chunks around players in which blocks tick"),
    Key("MaxMainThreadBlockTicks", whole(0), 10_000, "Block ticks within one server tick"),
    Key("RandomBlockTicksPerChunk", whole(0, 10_000), 16,
        "Random block ticks", "blockTicksPerChunk"),
    Key("BlockTickInterval", whole(1), 300, "Milliseconds between random block ticks"),
    Key("SkipEveryChunkRow", whole(), 0, "Rows of chunks left out when generating"),
    Key("SkipEveryChunkRowWidth", whole(), 0, "How wide such a row is"),
    Key("Roles", Annotated[list[Role], Field(min_length=1, max_length=100)], None,
        "Roles of players"),
    Key("DefaultRoleCode", Text, "suplayer", "Role of a new player"),
    Key("ModPaths", Items, None, "Folders of mods; relative ones lie in the game's own folder"),
    Key("AntiAbuse", whole(0, 10), 0, "How strictly odd behaviour is punished"),
    Key("WorldConfig.Design", JsonValue, None, "Design of the world", locked=True),
    Key("WorldConfig.SaveFileLocation", Text | None, None, "The world's file"),
    Key("WorldConfig.WorldName", Text | None, "A new world", "Name of a new world"),
    Key("WorldConfig.AllowCreativeMode", StrictBool, True, "Players may be in creative mode"),
    Key("WorldConfig.PlayStyle", Text | None, "surviveandbuild",
        "surviveandbuild, exploration, wildernesssurvival, …"),
    Key("WorldConfig.PlayStyleLangCode", Text | None, "surviveandbuild-bands",
        "Text of the play style"),
    Key("WorldConfig.WorldType", Text | None, "standard", "standard or superflat, for a new world"),
    Key("WorldConfig.WorldConfiguration", Members | None, None, "Rules of a new world"),
    Key("WorldConfig.MapSizeY", whole(32, 16_384) | None, None, "Height of a new world in blocks"),
    Key("WorldConfig.CreatedByPlayerName", Text | None, None, "Who made the world", locked=True),
    Key("WorldConfig.DisabledMods", Items | None, None,
        "Mods that the world doesn't load, as id@version"),
    Key("WorldConfig.RepairMode", StrictBool, False, "Load damaged worlds as far as possible"),
    Key("NextPlayerGroupUid", whole(), 10, "Counter of groups", locked=True),
    Key("GroupChatHistorySize", whole(0, 10_000), 20, "Lines of chat that are kept"),
    Key("MaxOwnedGroupChannelsPerUser", whole(0, 10_000), 10, "Groups that a player may own"),
    Key("OnlyWhitelisted", StrictBool, False, "Older form of WhitelistMode"),
    Key("WhitelistMode", whole(0, 2), 0,
        "0 default (on for dedicated servers), 1 off, 2 on", "whitelistmode"),
    Key("VerifyPlayerAuth", StrictBool, True, "Players must have an account"),
    Key("DefaultSpawn", Members | None, None, "Where new players begin"),
    Key("AllowPvP", StrictBool, True, "Players may fight each other", "allowpvp"),
    Key("AllowFireSpread", StrictBool, True, "Fire spreads", "allowfirespread"),
    Key("AllowFallingBlocks", StrictBool, True, "Loose blocks fall", "allowfallingblocks"),
    Key("HostedMode", StrictBool, False, "For hosting companies: takes commands away"),
    Key("HostedModeAllowMods", StrictBool, False, "Mods in hosted mode"),
    Key("VhIdentifier", Text | None, None,
        "Identifier of a hosted server", secret=True, locked=True),
    Key("ServerIdentifier", Text | None, None,
        "Identifier in the public list", secret=True, locked=True),
    Key("StartupCommands", LongerText | None, None, "Commands run at each start", secret=True),
    Key("RepairMode", StrictBool, False, "Load damaged worlds as far as possible"),
    Key("AnalyzeMode", StrictBool, False, "Look for damage while loading"),
    Key("CorruptionProtection", StrictBool, True, "Guard against damaged chunks"),
    Key("RegenerateCorruptChunks", StrictBool, False, "Make damaged chunks anew"),
    Key("ChatRateLimitMs", whole(0, 3_600_000), 1000, "Milliseconds between two chat messages"),
    Key("DieBelowDiskSpaceMb", whole(-1), 400,
        "Free megabytes below which the game ends; -1 never"),
    Key("DieAboveErrorCount", whole(), 100_000, "Errors after which the game ends"),
    Key("DieAboveMemoryUsageMb", whole(), 50_000, "Megabytes of memory at which the game ends"),
    Key("LogBlockBreakPlace", StrictBool, False, "Log every block that is broken or placed"),
    Key("LogFileSplitAfterLine", whole(1_000), 500_000, "Lines after which a new log file begins"),
    Key("LoginFloodProtection", StrictBool, False, "Slow down many logins", "loginfloodprotection"),
    Key("TemporaryIpBlockList", StrictBool, False,
        "Block such addresses a while", "temporaryipblocklist"),
    Key("DisableModSafetyCheck", StrictBool, False, "Load mods without looking at their code"),
    Key("ModIdBlackList", Items | None, None, "Mods that are never loaded"),
    Key("ModIdWhiteList", Items | None, None, "The only mods that are loaded"),
    Key("WarnClientsAfterAfkSeconds", whole(), 0, "Since 1.22; 0 is never", since="1.22"),
    Key("KickClientsAfterAfkSeconds", whole(), 0, "Since 1.22; 0 is never", since="1.22"),
    Key("LastLaunchMods", JsonValue, [], "Mods of the last start", locked=True, since="1.22"),
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
