"""What serverconfig.json holds at the very first start: the game's defaults, and `VS_CFG_<Key>`.

The simulated game has a copy of the defaults, since neither distribution may depend on the other. A
test compares the two.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from bedplate.settings import SettingsError
from gameserver.configuration.keys import ADAPTERS, CHANGEABLE, KEYS

PREFIX: Final = "VS_CFG_"
_KEYS: Final = {name.replace(".", "__").casefold(): name for name in CHANGEABLE}
_WORDS: Final = {"true": True, "false": False, "on": True, "off": False, "null": None, "": None}

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


def first_config(data_path: Path, version: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a game that starts for the first time over `data_path`.

    `changes` replace the game's defaults, by key.
    """
    values = {key.name: key.default for key in KEYS if version.startswith(key.since)} | {
        "Roles": [_role(*role) for role in ROLES],
        "ModPaths": ["Mods", str(data_path / "Mods")],
        "WorldConfig.SaveFileLocation": str(data_path / "Saves" / "default.vcdbs"),
        **changes,
    }
    config: dict[str, Any] = {}
    for name, value in values.items():
        parent, _, member = name.rpartition(".")
        (config.setdefault(parent, {}) if parent else config)[member] = value
    return config


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


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return values by key; `VS_CFG_WorldConfig__PlayStyle` is the key `WorldConfig.PlayStyle`.

    Names match in any case. Lists and objects are JSON. Raises `SettingsError` naming the variable.
    """
    values = {}
    for variable, text in environment.items():
        if not variable.upper().startswith(PREFIX):
            continue
        key = _KEYS.get(variable[len(PREFIX) :].casefold())
        if key is None:
            raise SettingsError(f"{variable} names no setting of the game.")
        values[key] = _value(variable, key, text)
    return values


def _value(variable: str, key: str, text: str) -> Any:
    """Return the first reading of a text that the key's type accepts."""
    adapter = ADAPTERS[key]
    for candidate in _readings(text):
        try:
            return adapter.dump_python(adapter.validate_python(candidate), mode="json")
        except ValidationError:
            continue
    raise SettingsError(f"{variable} isn't a value of {key}: {CHANGEABLE[key].meaning}.")


def _readings(text: str) -> list[Any]:
    readings: list[Any] = []
    if text.strip().casefold() in _WORDS:
        readings.append(_WORDS[text.strip().casefold()])
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return [*readings, text]
    # A text is what it says, also when it looks like a number: a password of digits.
    return [*readings, *([] if isinstance(parsed, str) else [parsed]), text]
