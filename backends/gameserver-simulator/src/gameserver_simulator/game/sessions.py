"""Players who come, talk and go: what the log says of it."""

import ipaddress
import itertools
import re
from typing import TYPE_CHECKING

from gameserver_simulator.game.players import Client, uid_of

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

NAME = re.compile(r"(\w|-){1,16}")
LOCAL_PORT = 40_000
GENERAL_GROUP = 0


class Sessions:
    """The connections of a running game."""

    def __init__(self, game: "Game") -> None:
        self._game = game
        self._numbers = itertools.count(1)
        self._paused = False

    def join(self, name: str, ip: str = "192.168.31.220") -> None:
        """Let a player come in, or fail to, as the lists and settings say."""
        game, log = self._game, self._game.log
        client = Client(next(self._numbers), name, uid_of(name), "")
        client.address = f"{_shown(ip)}:{LOCAL_PORT + client.number}"
        self._connect(client)
        if game.players.list_entry(game.players.banned, client.uid):
            log.event(f"{name} fails to join (banned).")
            self._disconnect(client, "You are banned from this server")
            return
        if self._kept_out(client, ip):
            self._disconnect(client, game.texts("not on whitelist"))
            return
        self._enter(client)

    def connect_unknown(self, address: str) -> int:
        """Note a connection that hasn't said who it is; return its number."""
        number = next(self._numbers)
        self._note(address, number)
        return number

    def disconnect_unknown(self, number: int) -> None:
        """Note that such a connection is gone."""
        self._game.log.notification(f"Client {number} disconnected: ")

    def _note(self, address: str, number: int) -> None:
        self._game.log.notification(
            f"A Client attempts connecting via TCP on {address}, assigning client id {number}"
        )

    def _connect(self, client: Client) -> None:
        self._note(client.address, client.number)
        self._game.log.notification(
            f"Client {client.number} uid {client.uid} attempting identification. "
            f"Name: {client.name}"
        )

    def _kept_out(self, client: Client, ip: str) -> bool:
        players = self._game.players
        return (
            self._game.config.whitelisted_only
            and not ipaddress.ip_address(ip).is_private
            and not players.list_entry(players.whitelisted, client.uid)
        )

    def _enter(self, client: Client) -> None:
        game, log = self._game, self._game.log
        if self._paused:
            log.notification("A client reconnected, resuming game calendar.")
            self._paused = False
        game.players.online[client.number] = client
        game.players.meet(client.name, client.uid)
        log.notification(f"Placing {client.name} at 510804.27935791016 155 513060.4216308594")
        log.event(f"{client.name} {client.address} joins.")

    def give_up(self, name: str) -> None:
        """Let a player connect who never finishes the login."""
        client = Client(next(self._numbers), name, uid_of(name), f"192.168.31.9:{LOCAL_PORT}")
        self._connect(client)
        self._disconnect(client, "Account verification failed / Bad game session, try relogging")

    def leave(self, client: Client, why: str = "") -> None:
        """Let a player go."""
        self._game.players.online.pop(client.number, None)
        self._game.log.notification(f"Client {client.number} disconnected: {why}")
        self._game.log.event(self._game.texts("left", client.name))
        self._game.log.event(f"Client {client.number} disconnected.")
        self._pause_when_empty()

    def remove(self, client: Client, reason: str) -> None:
        """Throw a player out."""
        self._game.players.online.pop(client.number, None)
        self._game.log.event(self._game.texts("removed", client.name, reason))
        self._game.log.notification(f"Client {client.number} disconnected: {reason}")
        self._pause_when_empty()

    def remove_all(self, reason: str) -> None:
        """Throw all players out."""
        for client in list(self._game.players.online.values()):
            self.remove(client, reason)

    def chat(self, name: str, text: str) -> None:
        """Let a player say something; new builds name the chat group first."""
        if _minor(self._game.options.version) >= 21:  # noqa: PLR2004 - of 2025
            self._game.log.write("Chat", f"{GENERAL_GROUP} | {name}: {text}")
        else:
            self._game.log.write("Chat", f"{name}: <strong>{name}:</strong> {text}")

    def _disconnect(self, client: Client, why: str) -> None:
        self._game.log.notification(f"Client {client.number} disconnected: {why}")
        self._game.log.event(f"Client {client.number} disconnected.")

    def _pause_when_empty(self) -> None:
        if self._game.players.online or self._game.config.values["PassTimeWhenEmpty"]:
            return
        self._paused = True
        self._game.log.notification("All clients disconnected, pausing game calendar.")


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _shown(ip: str) -> str:
    """Return an address as the game prints it: IPv6 in brackets."""
    return f"[{ip}]" if ":" in ip else ip
