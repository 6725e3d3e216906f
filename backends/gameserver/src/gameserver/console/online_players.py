"""Who plays: followed by the numbers that the server gives its clients, in any language."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gameserver.console.lines import ConsoleLine

MAX_CLIENTS: Final = 1_000
"""Clients that are remembered; of more, the oldest that never joined is forgotten."""

NAME: Final = r"[\w-]{1,16}"
"""Names of players, as the game takes them."""

_ADDRESS = r"\[?[0-9A-Fa-f:.%]{2,60}\]?:\d{1,5}"
_CONNECTS = re.compile(
    rf"[^:\n]{{1,60}}?(?P<address>{_ADDRESS}), assigning client id (?P<id>\d{{1,9}})"
)
_IDENTIFIES = re.compile(
    rf"Client (?P<id>\d{{1,9}}) uid (?P<uid>[\w/+=-]{{1,64}}) attempting identification\. "
    rf"Name: (?P<name>{NAME})"
)
_JOINS = re.compile(
    rf"(?:\[[^\]\n]{{1,32}}\] ){{0,3}}(?P<name>{NAME}) (?P<address>{_ADDRESS}) joins\."
)
_DISCONNECTS = re.compile(r"Client (?P<id>\d{1,9}) disconnected(?:[.:]|$)")


@dataclass(frozen=True, slots=True)
class OnlinePlayer:
    """A player who has joined.

    name, uid: as the server knows them. client: the number of the connection. address: where it
    comes from, without the port. since: when the player joined.
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


class OnlinePlayers:
    """Who is on line, as the console tells it.

    A player is on line when a client that identified itself joins, and until that client
    disconnects. These three texts are the same in every language of the server, are matched from
    the start of a line of the right level, and count only in this order, so that neither chat nor
    the text of a mod makes anybody come or go.
    """

    def __init__(
        self,
        joined: Callable[[OnlinePlayer], None] = lambda _: None,
        left: Callable[[OnlinePlayer], None] = lambda _: None,
    ) -> None:
        self._clients: dict[int, _Client] = {}
        self._tell_joined = joined
        self._tell_left = left

    def list(self) -> list[OnlinePlayer]:
        """Return who is on line, in the order they joined."""
        online = [one.joined for one in self._clients.values() if one.joined is not None]
        return sorted(online, key=lambda player: player.since)

    def find(self, name: str) -> OnlinePlayer | None:
        """Return the player of this name who is on line; case doesn't matter."""
        folded = name.casefold()
        return next((one for one in self.list() if one.name.casefold() == folded), None)

    def __len__(self) -> int:
        """Return how many are on line."""
        return sum(one.joined is not None for one in self._clients.values())

    def clear(self) -> None:
        """Let everybody leave: the game is gone."""
        for number in list(self._clients):
            self._disconnect(number)

    def take(self, line: ConsoleLine) -> bool:
        """Take an authentic line, and return whether it is about clients."""
        if line.level == "Event":
            if (found := _JOINS.fullmatch(line.text)) is not None:
                self._join(found["name"], found["address"], line.at)
                return True
        elif line.level != "Notification":
            return False
        if (found := _DISCONNECTS.match(line.text)) is not None:
            self._disconnect(int(found["id"]))
        elif (found := _IDENTIFIES.fullmatch(line.text)) is not None:
            self._identify(int(found["id"]), _Client(found["uid"], found["name"]))
        else:
            return _CONNECTS.fullmatch(line.text) is not None
        return True

    def _identify(self, number: int, client: _Client) -> None:
        self._disconnect(number)  # the server gives a number anew only when it's free
        if len(self._clients) >= MAX_CLIENTS:
            self._forget_one()
        self._clients[number] = client

    def _forget_one(self) -> None:
        waiting = (number for number, one in self._clients.items() if one.joined is None)
        self._disconnect(next(waiting, next(iter(self._clients))))

    def _join(self, name: str, address: str, at: datetime) -> None:
        for number, client in reversed(self._clients.items()):
            if client.name == name and client.joined is None:
                host = address.rpartition(":")[0].strip("[]").removeprefix("::ffff:")
                client.joined = OnlinePlayer(name, client.uid, number, host, at)
                self._tell_joined(client.joined)
                return

    def _disconnect(self, number: int) -> None:
        client = self._clients.pop(number, None)
        if client is not None and client.joined is not None:
            self._tell_left(client.joined)
