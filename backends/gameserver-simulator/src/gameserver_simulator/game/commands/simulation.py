"""/simulate: causes events and faults. The real game doesn't have it."""

import ipaddress
import time
from collections.abc import Callable

from gameserver_simulator.game.commands.command import Command, UsageError, number, split
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import Client


def simulate(game: Game, words: str) -> str | None:
    """/simulate KIND …."""
    kind, rest = split(words, 1, rest=True)
    if kind not in KINDS:
        raise UsageError
    if kind == "help":
        return "\n".join(["What can be simulated:", *GRAMMAR])
    KINDS[kind](game, rest)
    return None


def _join(game: Game, words: str) -> None:
    name, *ip = split(words, 1)
    for address in ip[:1]:
        ipaddress.ip_address(address)
    game.sessions.join(name, *ip[:1])


def _abandon_login(game: Game, words: str) -> None:
    game.sessions.abandon_login(split(words, 1)[0])


def _leave(game: Game, words: str) -> None:
    game.sessions.leave(_online(game, words))


def _online(game: Game, name: str) -> Client:
    for client in game.players.online.values():
        if client.name == name:
            return client
    raise UsageError


def _chat(game: Game, words: str) -> None:
    name, text = split(words, 1, rest=True)
    game.sessions.chat(name, text.replace("\\n", "\n"))


def _flood(game: Game, words: str) -> None:
    seconds, *rate = split(words, 1)
    game.fault_modes.flood(float(seconds), number(rate[0]) if rate else game.options.flood_rate)


def _say(game: Game, words: str) -> None:
    level, text = split(words, 1, rest=True)
    game.log.write(level, text.replace("\\n", "\n"))


def _hang(_game: Game, words: str) -> None:
    """Block the loop: typed commands wait, and so does the stop."""
    time.sleep(float(split(words, 1)[0]))


def _disk(game: Game, words: str) -> None:
    game.free_mb = number(words)


def _overload(game: Game, words: str) -> None:
    game.fault_modes.overload(number(words) if words else 563)


GRAMMAR = (
    "join NAME [IP]             a player joins, or is refused",
    "unfinished NAME            a player connects, but never finishes the login",
    "leave NAME                 a player leaves",
    "chat NAME TEXT             a player says something; \\n is a line feed",
    "say LEVEL TEXT             a line of the log; \\n begins a line without time",
    "flood SECONDS [RATE]       many lines",
    "line KIB                   one long line",
    "bytes                      bytes that are not UTF-8",
    "trace                      an exception with its stack",
    "overload [MILLISECONDS]    a tick that took too long",
    "memory MIB                 hold so much more memory",
    "disk MB                    believe that so much disk space is free",
    "hang SECONDS               handle nothing for so long",
    "stop REASON                end in order, as for a failure of the game's own",
    "crash                      end at once, nothing saved",
)

KINDS: dict[str, Callable[[Game, str], object]] = {
    "help": lambda _game, _words: None,
    "join": _join,
    "unfinished": _abandon_login,
    "leave": _leave,
    "chat": _chat,
    "say": _say,
    "flood": _flood,
    "line": lambda game, words: game.fault_modes.long_line(number(words)),
    "bytes": lambda game, _words: game.fault_modes.invalid_utf8(),
    "trace": lambda game, _words: game.fault_modes.stack_trace(),
    "overload": _overload,
    "disk": _disk,
    "memory": lambda game, words: game.fault_modes.leak(number(words)),
    "hang": _hang,
    "stop": lambda game, words: game.request_stop(words),
    "crash": lambda game, _words: game.fault_modes.crash(),
}

COMMANDS = {
    "simulate": Command(simulate, "help | KIND …", "Makes the simulated game do something"),
}
