"""Who is known, whitelisted and banned, according to the game's files."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bedplate import clock
from bedplate.problems import ProblemError
from gameserver.config_file import ConfigFile
from gameserver.configuration.first_start import ROLES
from gameserver.layout import Layout
from gameserver.players.files import Entry, PlayerFile, in_force, text_of, until_of
from gameserver.players.schemas import Player

_DEFAULT_ROLES: Final = frozenset(code for code, *_ in ROLES)


@dataclass(frozen=True)
class Roster:
    """The entries of the three files at one moment, without expired ones."""

    known: list[Entry]
    whitelist: list[Entry]
    bans: list[Entry]

    def uid_of(self, name: str) -> str | None:
        """Return the UID of a name; like the game, in any case."""
        entry = self._known(name) or self.listed(name) or self.banned(name)
        return None if entry is None else text_of(entry, "PlayerUID") or None

    def listed(self, name: str) -> Entry | None:
        """Return a player's entry of the whitelist."""
        return _named(self.whitelist, name)

    def banned(self, name: str) -> Entry | None:
        """Return a player's entry of the bans."""
        return _named(self.bans, name)

    def role(self, name: str) -> str | None:
        """Return the code of a player's role; None for a player who has never joined."""
        entry = self._known(name)
        return None if entry is None else text_of(entry, "RoleCode")

    def _known(self, name: str) -> Entry | None:
        return _named(self.known, name, "LastKnownPlayername")

    def players(self, online: set[str]) -> list[Player]:
        """Return everybody, by name; `online` holds the UIDs of online players."""
        players: dict[str, Player] = {}
        for entry in self.known:
            player = _player(players, entry, "LastKnownPlayername")
            player.role = text_of(entry, "RoleCode") or None
        for entry in self.whitelist:
            _player(players, entry, "PlayerName").whitelisted = True
        for entry in self.bans:
            _player(players, entry, "PlayerName").banned_until = until_of(entry)
        for uid in online & players.keys():
            players[uid].online = True
        return sorted(players.values(), key=sort_key)


def sort_key(player: Player) -> str:
    """Return the key by which `Roster.players` is sorted."""
    return f"{player.name.casefold()}\0{player.uid}"


class RosterReader:
    """Reads the game's files of players."""

    def __init__(self, layout: Layout) -> None:
        folder = layout.server_data / "Playerdata"
        self.known = PlayerFile(folder / "playerdata.json")
        self.whitelist = PlayerFile(folder / "playerswhitelisted.json")
        self.bans = PlayerFile(folder / "playersbanned.json")
        self._config = ConfigFile(layout.server_config)

    async def read(self) -> Roster:
        """Return the present entries. Raises `PlayerFileDamaged`."""
        return await asyncio.to_thread(self._read, clock.now())

    def _read(self, now: datetime) -> Roster:
        return Roster(
            known=self.known.read(),
            whitelist=[entry for entry in self.whitelist.read() if in_force(entry, now)],
            bans=[entry for entry in self.bans.read() if in_force(entry, now)],
        )

    async def roles(self) -> frozenset[str]:
        """Return the codes of the roles in the game's settings; the defaults if unreadable."""
        try:
            text = await asyncio.to_thread(self._config.read)
            roles = text.get(("Roles",)) if text is not None else []
            codes = frozenset(role["Code"] for role in roles if isinstance(role["Code"], str))
        except (ProblemError, KeyError, TypeError):
            return _DEFAULT_ROLES
        return codes or _DEFAULT_ROLES


def _named(entries: list[Entry], name: str, key: str = "PlayerName") -> Entry | None:
    folded = name.casefold()
    return next((entry for entry in entries if text_of(entry, key).casefold() == folded), None)


def _player(players: dict[str, Player], entry: Entry, key: str) -> Player:
    uid = text_of(entry, "PlayerUID")
    return players.setdefault(uid, Player(name=text_of(entry, key), uid=uid))
