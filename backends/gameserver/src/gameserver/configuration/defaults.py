"""The game's default settings: each key of serverconfig.json after the first run.

The simulated game has a copy of its own, since neither distribution may depend on the other. A test
compares the two.
"""

from pathlib import Path
from typing import Any

PLAYER_PRIVILEGES = [
    "build",
    "useblock",
    "attackplayers",
    "attackcreatures",
    "chat",
    "selfkill",
    "controlplayergroups",
    "manageplayergroups",
]
MODERATOR_PRIVILEGES = [
    *PLAYER_PRIVILEGES,
    "buildblockseverywhere",
    "useblockseverywhere",
    "kick",
    "ban",
    "whitelist",
    "announce",
    "readlists",
]
ADMIN_PRIVILEGES = [
    *MODERATOR_PRIVILEGES,
    "freemove",
    "gamemode",
    "pickingrange",
    "setwelcome",
    "give",
    "areamodify",
    "setspawn",
    "controlserver",
    "tp",
    "time",
    "grantrevoke",
    "root",
    "commandplayer",
    "manageotherplayergroups",
]

ROLES = (
    ("suvisitor", -1, "Survival Visitor", ["chat"], 1, "Green"),
    ("crvisitor", -1, "Creative Visitor", ["chat"], 2, "DarkGray"),
    ("limitedsuplayer", -1, "Limited Survival Player", PLAYER_PRIVILEGES, 1, "White"),
    ("limitedcrplayer", -1, "Limited Creative Player", PLAYER_PRIVILEGES, 2, "LightGreen"),
    ("suplayer", 0, "Survival Player", PLAYER_PRIVILEGES, 1, "White"),
    ("crplayer", 100, "Creative Player", PLAYER_PRIVILEGES, 2, "LightGreen"),
    ("sumod", 200, "Survival Moderator", MODERATOR_PRIVILEGES, 1, "Cyan"),
    ("crmod", 500, "Creative Moderator", MODERATOR_PRIVILEGES, 2, "Cyan"),
    ("admin", 99999, "Admin", ADMIN_PRIVILEGES, 1, "LightBlue"),
)

WARNING = (
    "PLEASE NOTE: This file is also loaded when you start a single player world. If you want to "
    "run a dedicated server without affecting single player, we recommend you install the game "
    "into a different folder and run the server from there."
)


def defaults(data_path: Path, version: str) -> dict[str, Any]:
    """Return the settings of a server that starts for the first time over `data_path`."""
    config = {
        "FileEditWarning": WARNING,
        "ConfigVersion": "1.9",
        **_identity(),
        **_play(),
        "Roles": [_role(*role) for role in ROLES],
        "DefaultRoleCode": "suplayer",
        "ModPaths": ["Mods", str(data_path / "Mods")],
        "AntiAbuse": 0,
        "WorldConfig": _world(data_path),
        **_limits(),
    }
    if version.startswith("1.22"):
        config |= {
            "WarnClientsAfterAfkSeconds": 0,
            "KickClientsAfterAfkSeconds": 0,
            "LastLaunchMods": [],
        }
    return config


def _identity() -> dict[str, Any]:
    return {
        "ServerName": "Vintage Story Server",
        "ServerUrl": None,
        "ServerDescription": None,
        "WelcomeMessage": "Welcome {0}, may you survive well and prosper",
        "Ip": None,
        "Port": 42420,
        "Upnp": False,
        "CompressPackets": True,
        "AdvertiseServer": False,
        "MaxClients": 16,
        "MaxClientsInQueue": 0,
        "PassTimeWhenEmpty": False,
        "MasterserverUrl": "http://masterserver.vintagestory.at/api/v1/servers/",
        "ModDbUrl": "https://mods.vintagestory.at/",
        "ClientConnectionTimeout": 150,
        "EntityDebugMode": False,
        "Password": None,
    }


def _play() -> dict[str, Any]:
    return {
        "MapSizeX": 1024000,
        "MapSizeY": 256,
        "MapSizeZ": 1024000,
        "ServerLanguage": "en",
        "MaxChunkRadius": 12,
        "TickTime": 33.333332,
        "SpawnCapPlayerScaling": 0.5,
        "BlockTickChunkRange": 5,
        "MaxMainThreadBlockTicks": 10000,
        "RandomBlockTicksPerChunk": 16,
        "BlockTickInterval": 300,
        "SkipEveryChunkRow": 0,
        "SkipEveryChunkRowWidth": 0,
    }


def _role(
    code: str, level: int, name: str, privileges: list[str], game_mode: int, color: str
) -> dict[str, Any]:
    return {
        "Code": code,
        "PrivilegeLevel": level,
        "Name": name,
        "Description": name,
        "DefaultSpawn": None,
        "ForcedSpawn": None,
        "Privileges": privileges,
        "RuntimePrivileges": [],
        "DefaultGameMode": game_mode,
        "Color": color,
        "LandClaimAllowance": 0 if level < 0 else 262144,
        "LandClaimMinSize": {"X": 5, "Y": 5, "Z": 5},
        "LandClaimMaxAreas": 3,
        "AutoGrant": level >= 200,  # noqa: PLR2004 - moderators and above
    }


def _world(data_path: Path) -> dict[str, Any]:
    return {
        "Design": None,
        "SaveFileLocation": str(data_path / "Saves" / "default.vcdbs"),
        "WorldName": "A new world",
        "AllowCreativeMode": True,
        "PlayStyle": "surviveandbuild",
        "PlayStyleLangCode": "surviveandbuild-bands",
        "WorldType": "standard",
        "WorldConfiguration": None,
        "MapSizeY": None,
        "CreatedByPlayerName": None,
        "DisabledMods": None,
        "RepairMode": False,
    }


def _limits() -> dict[str, Any]:
    return {
        "NextPlayerGroupUid": 10,
        "GroupChatHistorySize": 20,
        "MaxOwnedGroupChannelsPerUser": 10,
        "OnlyWhitelisted": False,
        "WhitelistMode": 0,
        "VerifyPlayerAuth": True,
        "DefaultSpawn": None,
        "AllowPvP": True,
        "AllowFireSpread": True,
        "AllowFallingBlocks": True,
        "HostedMode": False,
        "HostedModeAllowMods": False,
        "VhIdentifier": None,
        "ServerIdentifier": None,
        "StartupCommands": None,
        "ModIdBlackList": None,
        "ModIdWhiteList": None,
        "RepairMode": False,
        "AnalyzeMode": False,
        "CorruptionProtection": True,
        "RegenerateCorruptChunks": False,
        "ChatRateLimitMs": 1000,
        "DieBelowDiskSpaceMb": 400,
        "DieAboveErrorCount": 100000,
        "DieAboveMemoryUsageMb": 50000,
        "LogBlockBreakPlace": False,
        "LogFileSplitAfterLine": 500000,
        "LoginFloodProtection": False,
        "TemporaryIpBlockList": False,
        "DisableModSafetyCheck": False,
    }
