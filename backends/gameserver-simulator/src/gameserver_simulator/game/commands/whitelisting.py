"""The whitelist."""

from gameserver_simulator.game.commands.command import Command, UsageError, split
from gameserver_simulator.game.commands.targets import Target, act
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import in_years

YEARS = 50
OFF, ON = 1, 2
"""Values of WhitelistMode."""


def whitelist(game: Game, words: str) -> str | None:
    """/whitelist add|remove player [reason], on, off."""
    action, rest = split(words, 1, rest=True)
    if action in {"on", "off"}:
        return _switch(game, action == "on")
    player, reason = split(rest, 1, rest=True)
    if action == "add":
        return act(game, player, lambda target: _add(game, target, reason))
    if action == "remove":
        return act(game, player, lambda target: _remove(game, target))
    raise UsageError


def _switch(game: Game, on: bool) -> str:
    """Change the mode; the settings file isn't marked as changed, as observed in the game."""
    state = "on" if on else "off"
    if game.config.whitelisted_only == on:
        return game.translate(f"whitelist was {state}")
    game.config.values["WhitelistMode"] = ON if on else OFF
    game.config.values["OnlyWhitelisted"] = False
    return game.translate(f"whitelist {state}")


def whitelist_player(game: Game, target: Target, words: str) -> str:
    """/player X whitelist [on|off] [reason]."""
    state, reason = split(words, 1, rest=True) if words else ("", "")
    if state == "on":
        return _add(game, target, reason)
    if state == "off":
        return _remove(game, target)
    listed = game.players.list_entry(game.players.whitelisted, target.uid)
    return game.translate("whitelisted is" if listed else "whitelisted not")


def _add(game: Game, target: Target, reason: str) -> str:
    players = game.players
    if players.list_entry(players.whitelisted, target.uid):
        return game.translate("whitelisted already")
    until = in_years(YEARS)
    players.add(players.whitelisted, target.name, target.uid, until, reason)
    return game.translate("whitelisted", f"{until:%d.%m.%Y %H:%M:%S}")


def _remove(game: Game, target: Target) -> str:
    players = game.players
    if not players.list_entry(players.whitelisted, target.uid):
        return game.translate("whitelisted not")
    players.discard(players.whitelisted, target.uid)
    return game.translate("unwhitelisted")


COMMANDS = {
    "whitelist": Command(whitelist, "add|remove player [reason], on, off", "Who may join"),
}
