"""What can be done to a player: the command for a running game, and the proof of success."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gameserver.players.files import Entry, known_entry, list_entry, text_of
from gameserver.players.roster import Roster, RosterReader
from gameserver.players.schemas import Ban, BanUnit

WHITELIST_YEARS: Final = 50
"""How long an entry of the whitelist lasts, as the game itself writes it."""

_YEAR: Final = timedelta(days=365.25)
_UNITS: Final = {
    BanUnit.MINUTE: timedelta(minutes=1),
    BanUnit.HOUR: timedelta(hours=1),
    BanUnit.DAY: timedelta(days=1),
    BanUnit.WEEK: timedelta(weeks=1),
    BanUnit.YEAR: _YEAR,
}
_LAST_YEAR: Final = 9998
NO_SUCH_PLAYER: Final = re.compile(r"No player with name or uid '.{0,64}' exists")


@dataclass(frozen=True)
class PlayerAction:
    """One thing done to a player.

    name      the player's
    command   for a running game
    done      matches its English reply; in other languages only `shows` proves success
    shows     whether the game's files show it: takes the roster before and now
    write     changes the files of a stopped game: takes the files, UID and time; blocks
    """

    name: str
    command: str
    done: re.Pattern[str]
    shows: Callable[[Roster, Roster], bool]
    write: Callable[[RosterReader, str, datetime], None]

    def is_reply(self, level: str, text: str) -> bool:
        """Return whether a line of the game says that it was done, or that nobody has the name."""
        if level != "Notification":
            return False
        return any(pattern.fullmatch(text) for pattern in (self.done, NO_SUCH_PLAYER))

    def already(self, roster: Roster) -> bool:
        """Return whether nothing would change."""
        return self.shows(roster, roster)


def whitelist(name: str, reason: str | None, by: str) -> PlayerAction:
    """Put a player on the whitelist."""

    def write(files: RosterReader, uid: str, now: datetime) -> None:
        entry = list_entry(name, uid, now + WHITELIST_YEARS * _YEAR, reason, by)
        files.whitelist.write([*_others(files.whitelist.read(), uid), entry])

    return PlayerAction(
        name,
        command=f"/whitelist add {name} {reason or ''}".rstrip(),
        done=re.compile(r"Player is (now|already) whitelisted.*"),
        shows=lambda _, now: now.listed(name) is not None,
        write=write,
    )


def unwhitelist(name: str) -> PlayerAction:
    """Take a player off the whitelist."""
    return PlayerAction(
        name,
        command=f"/whitelist remove {name}",
        done=re.compile(r"Player is (now removed from the whitelist|currently not whitelisted)"),
        shows=lambda _, now: now.listed(name) is None,
        write=lambda files, uid, _: files.whitelist.write(_others(files.whitelist.read(), uid)),
    )


def ban(name: str, ban: Ban, by: str) -> PlayerAction:
    """Ban a player; an earlier ban is replaced."""

    def write(files: RosterReader, uid: str, now: datetime) -> None:
        entry = list_entry(name, uid, ends(ban, now), ban.reason, by)
        files.bans.write([*_others(files.bans.read(), uid), entry])

    return PlayerAction(
        name,
        command=f"/ban {name} {ban.amount} {ban.unit} {ban.reason}",
        done=re.compile(r"Player is now banned until .*"),
        shows=lambda before, now: now.banned(name) not in (None, before.banned(name)),
        write=write,
    )


def unban(name: str) -> PlayerAction:
    """Lift a ban."""
    return PlayerAction(
        name,
        command=f"/unban {name}",
        done=re.compile(r"Player (is now unbanned|was not banned)"),
        shows=lambda _, now: now.banned(name) is None,
        write=lambda files, uid, _: files.bans.write(_others(files.bans.read(), uid)),
    )


def assign_role(name: str, role: str) -> PlayerAction:
    """Give a player a role."""

    def write(files: RosterReader, uid: str, _: datetime) -> None:
        entries = files.known.read()
        if not any(text_of(entry, "PlayerUID") == uid for entry in entries):
            entries.append(known_entry(name, uid, role))
        for entry in entries:
            if text_of(entry, "PlayerUID") == uid:
                entry["RoleCode"] = role
        files.known.write(entries)

    return PlayerAction(
        name,
        command=f"/op {name}" if role == "admin" else f"/player {name} role {role}",
        done=re.compile(r"Ok, role .{1,80} assigned to .{1,80}|Player is already in group .*"),
        shows=lambda _, now: now.role(name) == role,
        write=write,
    )


def ends(ban: Ban, now: datetime) -> datetime:
    """Return when a ban ends, at most in the year 9998."""
    try:
        return now + ban.amount * _UNITS[ban.unit]
    except OverflowError:
        return now.replace(year=_LAST_YEAR, day=1)


def _others(entries: list[Entry], uid: str) -> list[Entry]:
    return [entry for entry in entries if text_of(entry, "PlayerUID") != uid]
