"""The players that a command acts on: a name, an id, or a selector of several."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass

from gameserver_simulator.game.commands.command import UsageError
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import uid_of
from gameserver_simulator.game.sessions import NAME

SELECTOR = re.compile(r"([oas])\[(.*)\]")
UNKNOWN_TO_AUTH_SERVER = "nobody"
"""Prefix of the names that the simulated auth server doesn't know."""


@dataclass(frozen=True)
class Target:
    """A player that a command acts on."""

    name: str
    uid: str


Action = Callable[[Target], str | None]


def act(game: Game, word: str, action: Action) -> str | None:
    """Apply `action` to every player that `word` selects.

    Returns the replies. For a player who has never joined they are printed later, when the auth
    server has answered. Any word with a bracket is a selector. Raises `UsageError`.
    """
    if "[" in word:
        replies = [action(target) for target in _selected(game, word)]
        return "\n".join(reply for reply in replies if reply) or None
    entry = game.players.find(word)
    if entry is not None:
        return action(Target(entry["LastKnownPlayername"], entry["PlayerUID"]))
    game.later(game.options.lookup_seconds, lambda: _act_late(game, word, action))
    return None


def _act_late(game: Game, word: str, action: Action) -> None:
    try:
        reply = _late_reply(game, word, action)
    except UsageError:
        reply = game.translate("missing argument", "see /help")
    if reply:
        game.log.notification(reply)


def _late_reply(game: Game, word: str, action: Action) -> str | None:
    if NAME.fullmatch(word) and not word.lower().startswith(UNKNOWN_TO_AUTH_SERVER):
        return action(Target(word, uid_of(word)))
    return game.translate("no player", word)


def _selected(game: Game, word: str) -> list[Target]:
    match = SELECTOR.fullmatch(word)
    if match is None:
        raise UsageError
    filters = dict(_filter(each) for each in match[2].split(",") if each)
    return [target for target in _everybody(game, match[1]) if _fits(game, target, filters)]


def _everybody(game: Game, kind: str) -> list[Target]:
    if kind == "o":
        return [Target(each.name, each.uid) for each in game.players.online.values()]
    if kind == "a":
        known = game.players.known
        return [Target(each["LastKnownPlayername"], each["PlayerUID"]) for each in known]
    return []  # the console is no player


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in {"name", "namematches", "group", "role", "range"}:
        raise UsageError
    return name, value


def _fits(game: Game, target: Target, filters: dict[str, str]) -> bool:
    entry = game.players.find(target.uid) or {}
    return (
        filters.get("name", target.name).lower() == target.name.lower()
        and fnmatch.fnmatch(target.name, filters.get("namematches", "*"))
        and filters.get("role", entry.get("RoleCode")) == entry.get("RoleCode")
    )
