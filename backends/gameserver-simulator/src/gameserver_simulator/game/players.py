"""Players: online, known, banned and whitelisted."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gameserver_simulator.game import json_files

CONSOLE = "Admin"
"""Name of the console as a caller of commands."""

MAX_YEAR = 9999


def uid_of(name: str) -> str:
    """Return a player's id on the auth server: 24 characters of base64."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()[:18]).decode()


@dataclass
class Client:
    """A connection."""

    number: int
    name: str
    uid: str
    address: str
    joined: datetime = field(default_factory=lambda: datetime.now(UTC))


class Players:
    """The files of `Playerdata/`, held in memory; every change rewrites its file."""

    def __init__(self, data_path: Path, default_role: str) -> None:
        self._folder = data_path / "Playerdata"
        self._default_role = default_role
        self.known: list[dict[str, Any]] = []
        self.banned: list[dict[str, Any]] = []
        self.whitelisted: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        self.online: dict[int, Client] = {}
        self._files = {
            "playerdata": self.known,
            "playersbanned": self.banned,
            "playerswhitelisted": self.whitelisted,
            "playergroups": self.groups,
        }

    def load(self) -> None:
        """Read the files. Raises `json_files.Unreadable`."""
        for name, entries in self._files.items():
            content = json_files.read(self._folder / f"{name}.json", [])
            if not isinstance(content, list):
                raise json_files.Unreadable(f"{name}.json: not a list")
            entries.extend(content)
        self.save()

    def save(self) -> None:
        """Write the files. Edits of them in the meantime are lost."""
        for name, entries in self._files.items():
            json_files.write(self._folder / f"{name}.json", entries)

    def find(self, player: str) -> dict[str, Any] | None:
        """Return the entry of a known player, by name or id."""
        for entry in self.known:
            if player == entry["PlayerUID"]:
                return entry
            if player.lower() == str(entry["LastKnownPlayername"]).lower():
                return entry
        return None

    def meet(self, name: str, uid: str) -> dict[str, Any]:
        """Return the entry of a player, and create it for a new one."""
        entry = self.find(uid)
        if entry is None:
            entry = _new_player(name, uid, self._default_role)
            self.known.append(entry)
        entry["LastKnownPlayername"] = name
        self.save()
        return entry

    def client(self, uid: str) -> Client | None:
        """Return a player's connection while they are online."""
        return next((client for client in self.online.values() if client.uid == uid), None)

    def list_entry(self, entries: list[dict[str, Any]], uid: str) -> dict[str, Any] | None:
        """Return a player's entry in the bans or the whitelist that hasn't expired."""
        now = datetime.now(UTC)
        for entry in entries:
            if entry.get("PlayerUID") == uid and _until(entry.get("UntilDate")) > now:
                return entry
        return None

    def add(
        self, entries: list[dict[str, Any]], name: str, uid: str, until: datetime, reason: str
    ) -> None:
        """Add a player to the bans or the whitelist, in place of an earlier entry."""
        self.discard(entries, uid)
        entries.append(
            {
                "PlayerUID": uid,
                "PlayerName": name,
                "UntilDate": until.isoformat(),
                "Reason": reason or None,
                "IssuedByPlayerName": CONSOLE,
            }
        )
        self.save()

    def discard(self, entries: list[dict[str, Any]], uid: str) -> None:
        """Take a player off the bans or the whitelist."""
        entries[:] = [entry for entry in entries if entry.get("PlayerUID") != uid]
        self.save()


def in_years(years: int) -> datetime:
    """Return the time in so many years, at most in the year 9999."""
    now = datetime.now(UTC).astimezone()
    if now.year + years > MAX_YEAR:
        return now.replace(year=MAX_YEAR)
    return now + timedelta(days=365.25 * years)


def _until(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.astimezone()


def _new_player(name: str, uid: str, role: str) -> dict[str, Any]:
    return {
        "PlayerUID": uid,
        "RoleCode": role,
        "PermaPrivileges": [],
        "DeniedPrivileges": [],
        "PlayerGroupMemberShips": {},
        "AllowInvite": True,
        "LastKnownPlayername": name,
        "CustomPlayerData": {},
        "ExtraLandClaimAllowance": 0,
        "ExtraLandClaimAreas": 0,
    }
