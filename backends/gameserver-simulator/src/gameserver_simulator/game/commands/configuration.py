"""/serverconfig: settings that change while the server runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gameserver_simulator.game.commands.command import Command, UsageError, split
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import CONSOLE

TRUE = {"1", "yes", "true", "on"}
FALSE = {"0", "no", "false", "off"}
WHITELIST_MODES = {"default": 0, "off": 1, "on": 2}
AUTOSAVE_SECONDS = (30, 3600)


def _switch(word: str) -> bool:
    if word.lower() not in TRUE | FALSE:
        raise ValueError(word)
    return word.lower() in TRUE


def _mode(word: str) -> int:
    if word.lower() not in WHITELIST_MODES:
        raise ValueError(word)
    return WHITELIST_MODES[word.lower()]


@dataclass(frozen=True)
class Setting:
    """A setting of serverconfig.json that the console can change."""

    key: str
    convert: Callable[[str], Any] = str
    whole_line: bool = False


SETTINGS = {
    "name": Setting("ServerName", whole_line=True),
    "description": Setting("ServerDescription", whole_line=True),
    "url": Setting("ServerUrl", whole_line=True),
    "welcome": Setting("WelcomeMessage", whole_line=True),
    "welcomemessage": Setting("WelcomeMessage"),
    "motd": Setting("WelcomeMessage"),
    "password": Setting("Password"),
    "maxclients": Setting("MaxClients", int),
    "maxclientsinqueue": Setting("MaxClientsInQueue", int),
    "maxchunkradius": Setting("MaxChunkRadius", int),
    "upnp": Setting("Upnp", _switch),
    "advertise": Setting("AdvertiseServer", _switch),
    "allowpvp": Setting("AllowPvP", _switch),
    "allowfirespread": Setting("AllowFireSpread", _switch),
    "allowfallingblocks": Setting("AllowFallingBlocks", _switch),
    "passtimewhenempty": Setting("PassTimeWhenEmpty", _switch),
    "whitelistmode": Setting("WhitelistMode", _mode),
    "entitydebugmode": Setting("EntityDebugMode", _switch),
    "spawncapplayerscaling": Setting("SpawnCapPlayerScaling", float),
    "tickrate": Setting("TickTime", lambda word: 1000 / float(word)),
    "blocktickchunkrange": Setting("BlockTickChunkRange", int),
    "blockticksperchunk": Setting("RandomBlockTicksPerChunk", int),
    "loginfloodprotection": Setting("LoginFloodProtection", _switch),
    "temporaryipblocklist": Setting("TemporaryIpBlockList", _switch),
}


def configure(game: Game, words: str) -> str:
    """/serverconfig setting [value]."""
    name, value = split(words, 1, rest=True)
    name = name.lower()
    if name in SPECIAL:
        return SPECIAL[name](game, value)
    if name not in SETTINGS:
        raise UsageError
    if name == "maxclients" and game.options.max_clients is not None:
        return "MaxClients is overridden by the command line argument --maxclients"
    setting = SETTINGS[name]
    if not value:
        return f"Current {name} is {_format(game.config.values[setting.key])}"
    return _set(game, name, setting, value)


def _set(game: Game, name: str, setting: Setting, value: str) -> str:
    try:
        converted = setting.convert(value if setting.whole_line else value.split(maxsplit=1)[0])
    except (ValueError, ZeroDivisionError):
        return f"Invalid value for {name}"
    game.config.set(setting.key, converted)
    game.log.write("Audit", f"{CONSOLE} changes server config {setting.key} to {value}.")
    return f"{name} set to {_format(converted)}"


def _format(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _no_password(game: Game, _value: str) -> str:
    game.config.set("Password", None)
    return "Password removed"


def _autosave_interval(game: Game, value: str) -> str:
    if not value:
        return f"Current autosaveintervall is {game.config.magic['ServerAutoSave']}"
    low, high = AUTOSAVE_SECONDS
    if not value.isdecimal() or not low <= int(value) <= high:
        return f"The autosave interval must be between {low} and {high} seconds"
    game.config.magic["ServerAutoSave"] = int(value)
    game.config.changed()
    return f"autosaveintervall set to {value}"


def _entity_spawning(game: Game, value: str) -> str:
    """Entity spawning is kept in the save, not in the settings file."""
    savegame = game.world.savegame
    if not value:
        return f"Current entityspawning is {_format(savegame.entity_spawning)}"
    if value.lower() not in TRUE | FALSE:
        return "Invalid value for entityspawning"
    savegame.entity_spawning = value.lower() in TRUE
    return f"entityspawning set to {_format(savegame.entity_spawning)}"


def _set_spawn(game: Game, value: str) -> str:
    x, y, z = (int(each) for each in split(value, 3)[:3])
    game.config.set("DefaultSpawn", {"x": x, "y": y, "z": z, "yaw": None, "pitch": None})
    return f"Default spawn set to {x} {y} {z}"


SPECIAL = {
    "nopassword": _no_password,
    "autosaveintervall": _autosave_interval,
    "entityspawning": _entity_spawning,
    "setspawn": _set_spawn,
}

COMMANDS = {
    "serverconfig": Command(configure, "setting [value]", "Shows or changes settings"),
    "sc": Command(configure, "setting [value]", "Short for /serverconfig"),
}
