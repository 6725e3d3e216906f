"""Players who join, talk and leave, and the log lines of it."""

import ipaddress
import itertools
import re

from gameserver_simulator.game.core import Core
from gameserver_simulator.game.players import Client, uid_of

NAME = re.compile(r"(\w|-){1,16}")
LOCAL_PORT = 40_000
GENERAL_GROUP = 0


class Sessions:
    """The connections of a running game."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._numbers = itertools.count(1)
        self._paused = False

    def join(self, name: str, ip: str = "192.168.31.220") -> None:
        """Let a player join, unless a ban or the whitelist refuses them."""
        core, log = self._core, self._core.log
        client = Client(next(self._numbers), name, uid_of(name), "")
        client.address = f"{_bracketed(ip)}:{LOCAL_PORT + client.number}"
        self._connect(client)
        if core.players.list_entry(core.players.banned, client.uid):
            log.event(f"{name} fails to join (banned).")
            self._disconnect(client, "You are banned from this server")
            return
        if self._is_refused(client, ip):
            self._disconnect(client, core.translate("not on whitelist"))
            return
        self._enter(client)

    def connect_unknown(self, address: str) -> int:
        """Log a connection that hasn't identified itself, and return its number."""
        number = next(self._numbers)
        self._log_attempt(address, number)
        return number

    def disconnect_unknown(self, number: int) -> None:
        """Log that such a connection is closed."""
        self._core.log.notification(f"Client {number} disconnected: ")

    def _log_attempt(self, address: str, number: int) -> None:
        self._core.log.notification(
            f"A Client attempts connecting via TCP on {address}, assigning client id {number}"
        )

    def _connect(self, client: Client) -> None:
        self._log_attempt(client.address, client.number)
        number = f" {client.number}" if _minor(self._core.options.version) >= 19 else ""  # noqa: PLR2004 - since then
        self._core.log.notification(
            f"Client{number} uid {client.uid} attempting identification. Name: {client.name}"
        )

    def _is_refused(self, client: Client, ip: str) -> bool:
        players = self._core.players
        return (
            self._core.config.whitelisted_only
            and not ipaddress.ip_address(ip).is_private
            and not players.list_entry(players.whitelisted, client.uid)
        )

    def _enter(self, client: Client) -> None:
        core, log = self._core, self._core.log
        if self._paused:
            log.notification("A client reconnected, resuming game calendar.")
            self._paused = False
        core.players.online[client.number] = client
        core.players.meet(client.name, client.uid)
        log.notification(f"Placing {client.name} at 510804.27935791016 155 513060.4216308594")
        log.event(f"{client.name} {client.address} joins.")

    def abandon_login(self, name: str) -> None:
        """Let a player connect who never finishes the login."""
        client = Client(next(self._numbers), name, uid_of(name), f"192.168.31.9:{LOCAL_PORT}")
        self._connect(client)
        self._disconnect(client, "Account verification failed / Bad game session, try relogging")

    def leave(self, client: Client, reason: str = "") -> None:
        """Let a player leave."""
        self._core.players.online.pop(client.number, None)
        self._core.log.notification(f"Client {client.number} disconnected: {reason}")
        self._core.log.event(self._core.translate("left", client.name))
        self._core.log.event(f"Client {client.number} disconnected.")
        self._pause_when_empty()

    def remove(self, client: Client, reason: str) -> None:
        """Remove a player from the server."""
        self._core.players.online.pop(client.number, None)
        self._core.log.event(self._core.translate("removed", client.name, reason))
        self._core.log.notification(f"Client {client.number} disconnected: {reason}")
        self._pause_when_empty()

    def remove_all(self, reason: str) -> None:
        """Remove all players."""
        for client in list(self._core.players.online.values()):
            self.remove(client, reason)

    def chat(self, name: str, text: str) -> None:
        """Log a chat message; since 1.21 its line begins with the chat group."""
        if _minor(self._core.options.version) >= 21:  # noqa: PLR2004 - of 2025
            self._core.log.write("Chat", f"{GENERAL_GROUP} | {name}: {text}")
        else:
            self._core.log.write("Chat", f"{name}: <strong>{name}:</strong> {text}")

    def _disconnect(self, client: Client, reason: str) -> None:
        self._core.log.notification(f"Client {client.number} disconnected: {reason}")
        self._core.log.event(f"Client {client.number} disconnected.")

    def _pause_when_empty(self) -> None:
        if self._core.players.online or self._core.config.values["PassTimeWhenEmpty"]:
            return
        self._paused = True
        self._core.log.notification("All clients disconnected, pausing game calendar.")


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _bracketed(ip: str) -> str:
    """Return an address as the game prints it: IPv6 in brackets."""
    return f"[{ip}]" if ":" in ip else ip
