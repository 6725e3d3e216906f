"""The game's files of players: read at any time, written only while the game is stopped."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bedplate.documents import write_atomically
from gameserver.disk import READ_FLAGS
from gameserver.players.exceptions import PlayerFileDamaged
from gameserver.players.schemas import ListEntry

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_MAX_TEXT_LENGTH: Final = 1_000
_READINGS: Final = 4
_PAUSE_SECONDS: Final = 0.05

Entry = dict[str, Any]
"""An entry as the game wrote it; unknown fields are preserved."""


class PlayerFile:
    """One of the game's files: a JSON list of objects that have a `PlayerUID`. Blocking calls."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Entry]:
        """Return the entries; none when there is no file. Raises `PlayerFileDamaged`.

        A running game writes in place: a file that is half written is read again.
        """
        for _ in range(_READINGS - 1):
            try:
                return self._read_once()
            except PlayerFileDamaged:
                time.sleep(_PAUSE_SECONDS)
        return self._read_once()

    def _read_once(self) -> list[Entry]:
        try:
            with os.fdopen(os.open(self._path, READ_FLAGS), "rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
            entries = json.loads(content.decode("utf-8-sig"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError):
            raise PlayerFileDamaged(self._path.name) from None
        if len(content) > MAX_FILE_BYTES or not isinstance(entries, list):
            raise PlayerFileDamaged(self._path.name)
        if not all(isinstance(entry, dict) for entry in entries):
            raise PlayerFileDamaged(self._path.name)
        return entries

    def write(self, entries: list[Entry]) -> None:
        """Replace the entries, in the game's format. Raises `bedplate.documents.WriteFailed`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(entries, indent=2, ensure_ascii=False)
        write_atomically(self._path, content.encode("utf-8", "surrogatepass"), mode=0o644)


def text_of(entry: Entry, key: str) -> str:
    """Return a text field, bounded and valid Unicode; empty when there is none."""
    value = entry.get(key)
    text = value if isinstance(value, str) else ""
    return text[:_MAX_TEXT_LENGTH].encode("utf-8", "replace").decode()


def until_of(entry: Entry) -> datetime | None:
    """Return when an entry expires, in UTC; None for never or unreadable.

    A time without a zone is local time.
    """
    try:
        return datetime.fromisoformat(text_of(entry, "UntilDate")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def in_force(entry: Entry, now: datetime) -> bool:
    """Return whether an entry has not expired."""
    until = until_of(entry)
    return until is None or until > now


def to_response(entry: Entry) -> ListEntry:
    """Return an entry of the whitelist or the bans for clients."""
    return ListEntry(
        name=text_of(entry, "PlayerName"),
        uid=text_of(entry, "PlayerUID"),
        until=until_of(entry),
        reason=text_of(entry, "Reason") or None,
        by=text_of(entry, "IssuedByPlayerName") or None,
    )


def list_entry(name: str, uid: str, until: datetime, reason: str | None, by: str) -> Entry:
    """Return a new entry of the whitelist or the bans, in the game's format."""
    return {
        "PlayerUID": uid,
        "PlayerName": name,
        "UntilDate": until.isoformat(),
        "Reason": reason,
        "IssuedByPlayerName": by,
    }


def known_entry(name: str, uid: str, role: str) -> Entry:
    """Return a new entry of the known players, in the game's format."""
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
