"""Whom a command means: a name, an id, or a selector that means many."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameserver_simulator.game.commands.words import WrongUse
from gameserver_simulator.game.players import uid_of
from gameserver_simulator.game.sessions import NAME

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

SELECTOR = re.compile(r"([oas])\[(.*)\]")
UNKNOWN_TO_AUTH_SERVER = "nobody"
"""The simulated auth server knows every valid name but those that begin so."""


@dataclass(frozen=True)
class Target:
    """A player that a command acts on."""

    name: str
    uid: str


Action = Callable[[Target], str | None]


def act(game: "Game", word: str, action: Action) -> str | None:
    """Do something to everybody whom `word` means.

    The replies are returned; for a player who was never here they are printed later, when the
    auth server has answered. Any word with a bracket is a selector. Raises `WrongUse`.
    """
    if "[" in word:
        replies = [action(target) for target in _selected(game, word)]
        return "\n".join(reply for reply in replies if reply) or None
    entry = game.players.find(word)
    if entry is not None:
        return action(Target(entry["LastKnownPlayername"], entry["PlayerUID"]))
    game.later(game.options.lookup_seconds, lambda: _act_late(game, word, action))
    return None


def _act_late(game: "Game", word: str, action: Action) -> None:
    try:
        reply = _late_reply(game, word, action)
    except WrongUse:
        reply = game.texts("missing argument", "see /help")
    if reply:
        game.log.notification(reply)


def _late_reply(game: "Game", word: str, action: Action) -> str | None:
    if NAME.fullmatch(word) and not word.lower().startswith(UNKNOWN_TO_AUTH_SERVER):
        return action(Target(word, uid_of(word)))
    return game.texts("no player", word)


def _selected(game: "Game", word: str) -> list[Target]:
    match = SELECTOR.fullmatch(word)
    if match is None:
        raise WrongUse
    filters = dict(_filter(each) for each in match[2].split(",") if each)
    return [target for target in _everybody(game, match[1]) if _fits(game, target, filters)]


def _everybody(game: "Game", kind: str) -> list[Target]:
    if kind == "o":
        return [Target(each.name, each.uid) for each in game.players.online.values()]
    if kind == "a":
        known = game.players.known
        return [Target(each["LastKnownPlayername"], each["PlayerUID"]) for each in known]
    return []  # the console is no player


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in {"name", "namematches", "group", "role", "range"}:
        raise WrongUse
    return name, value


def _fits(game: "Game", target: Target, filters: dict[str, str]) -> bool:
    entry = game.players.find(target.uid) or {}
    return (
        filters.get("name", target.name).lower() == target.name.lower()
        and fnmatch.fnmatch(target.name, filters.get("namematches", "*"))
        and filters.get("role", entry.get("RoleCode")) == entry.get("RoleCode")
    )
