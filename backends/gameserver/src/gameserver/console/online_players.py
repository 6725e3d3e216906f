"""Who is online, read from the console, whatever the server's language."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from gameserver.console.lines import ConsoleLine

MAX_CLIENTS: Final = 1_000
"""Beyond this, the oldest client that never joined is forgotten."""

NAME: Final = r"[\w-]{1,16}"
"""A player's name, as the game accepts it."""

Value = TypeVar("Value", int, str)

_ADDRESS = r"\[?[0-9A-Fa-f:.%]{2,60}\]?:\d{1,5}"
_CONNECTS = re.compile(
    rf"[^:\n]{{1,60}}?(?P<address>{_ADDRESS}), assigning client id (?P<id>\d{{1,9}})"
)
_IDENTIFIES = re.compile(
    rf"Client (?P<id>\d{{1,9}}) uid (?P<uid>[\w/+=-]{{1,64}}) attempting identification\. "
    rf"Name: (?P<name>{NAME})"
)
# Of 1.19.0-pre.5 and before: it names no client, but the line of the join has its address.
_IDENTIFIES_WITHOUT_ID = re.compile(
    rf"Client uid (?P<uid>[\w/+=-]{{1,64}}) attempting identification\. Name: (?P<name>{NAME})"
)
_JOINS = re.compile(
    rf"(?:\[[^\]\n]{{1,32}}\] ){{0,3}}(?P<name>{NAME}) (?P<address>{_ADDRESS}) joins\."
)
_DISCONNECTS = re.compile(r"Client (?P<id>\d{1,9}) disconnected(?:[.:]|$)")


def is_about_clients(level: str, text: str) -> bool:
    """Return whether a line changes who is online."""
    if level == "Event" and _JOINS.fullmatch(text) is not None:
        return True
    if level not in {"Event", "Notification"}:
        return False
    return any(
        pattern.match(text) for pattern in (_DISCONNECTS, _IDENTIFIES, _IDENTIFIES_WITHOUT_ID)
    )


@dataclass(frozen=True, slots=True)
class OnlinePlayer:
    """A player who has joined.

    client    the server's number of the connection
    address   of the player, without the port
    since     when the player joined
    """

    name: str
    uid: str
    client: int
    address: str
    since: datetime


@dataclass(slots=True)
class _Client:
    uid: str
    name: str
    joined: OnlinePlayer | None = None


@dataclass(eq=False)
class OnlinePlayers:
    """The players who are online.

    A player is online from the moment an identified client joins until that client disconnects.
    The server logs these three texts in English whatever its language. They are matched from the
    start of a line of the right level and count only in this order.
    """

    on_join: Callable[[OnlinePlayer], None] = lambda _: None
    on_leave: Callable[[OnlinePlayer], None] = lambda _: None
    _clients: dict[int, _Client] = field(default_factory=dict, init=False)
    _connected: dict[str, int] = field(default_factory=dict, init=False)
    """Numbers of the latest connections, by address."""

    _identified: dict[str, str] = field(default_factory=dict, init=False)
    """UIDs of the latest identifications without a number, by name."""

    def list(self) -> list[OnlinePlayer]:
        """Return the players, in the order in which they joined."""
        online = [item.joined for item in self._clients.values() if item.joined is not None]
        return sorted(online, key=lambda player: player.since)

    def find(self, name: str) -> OnlinePlayer | None:
        """Return the online player of this name, whatever its case."""
        folded = name.casefold()
        return next((item for item in self.list() if item.name.casefold() == folded), None)

    def __len__(self) -> int:
        """Return how many players are online."""
        return sum(item.joined is not None for item in self._clients.values())

    def clear(self) -> None:
        """Let everybody leave: the game has ended."""
        for number in list(self._clients):
            self._disconnect(number)
        self._connected.clear()
        self._identified.clear()

    def take(self, line: ConsoleLine) -> bool:
        """Take an authentic line, and return whether it is about clients."""
        if line.level == "Event":
            if (match := _JOINS.fullmatch(line.text)) is not None:
                self._join(match["name"], match["address"], line.at)
                return True
        elif line.level != "Notification":
            return False
        if (match := _DISCONNECTS.match(line.text)) is not None:
            self._disconnect(int(match["id"]))
        elif (match := _IDENTIFIES.fullmatch(line.text)) is not None:
            self._identify(int(match["id"]), _Client(match["uid"], match["name"]))
        elif (match := _IDENTIFIES_WITHOUT_ID.fullmatch(line.text)) is not None:
            _remember(self._identified, match["name"], match["uid"])
        elif (match := _CONNECTS.fullmatch(line.text)) is not None:
            _remember(self._connected, match["address"], int(match["id"]))
        else:
            return False
        return True

    def _identify(self, number: int, client: _Client) -> None:
        self._disconnect(number)  # the server gives a number again only when it's free
        if len(self._clients) >= MAX_CLIENTS:
            waiting = (number for number, item in self._clients.items() if item.joined is None)
            self._disconnect(next(waiting, next(iter(self._clients))))
        self._clients[number] = client

    def _join(self, name: str, address: str, at: datetime) -> None:
        if name in self._identified and address in self._connected:
            number = self._connected.pop(address)
            self._identify(number, _Client(self._identified.pop(name), name))
        for number, client in reversed(self._clients.items()):
            if client.name == name and client.joined is None:
                host = address.rpartition(":")[0].strip("[]").removeprefix("::ffff:")
                client.joined = OnlinePlayer(name, client.uid, number, host, at)
                self.on_join(client.joined)
                return

    def _disconnect(self, number: int) -> None:
        client = self._clients.pop(number, None)
        if client is not None and client.joined is not None:
            self.on_leave(client.joined)


def _remember(known: dict[str, Value], key: str, value: Value) -> None:
    """Keep the latest `MAX_CLIENTS` values."""
    known.pop(key, None)
    known[key] = value
    if len(known) > MAX_CLIENTS:
        del known[next(iter(known))]
