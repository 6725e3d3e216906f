"""What goes over the wire. Names, reasons and whatever else the game tells are untrusted text."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from bedplate.schemas import Schema, SingleLineStr, WholeNumber

NAME_PATTERN: Final = r"^[\w-]{1,16}$"
UID_PATTERN: Final = r"^[A-Za-z0-9+/=-]{1,64}$"

PlayerName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name as the game takes it; no selector (`o[]`) is one."""

PlayerUid = Annotated[str, StringConstraints(pattern=UID_PATTERN)]
RoleCode = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,32}$")]
Reason = Annotated[str, SingleLineStr(200, printable=True)]
MAX_PER_UNIT: Final = 1_000


class BanUnit(StrEnum):
    """Units in which the game counts bans."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    YEAR = "year"


class ListEntry(BaseModel):
    """An entry of the whitelist or of the bans."""

    name: str
    uid: str
    until: AwareDatetime | None
    reason: str | None
    by: str | None


class Player(BaseModel):
    """A player whom the game knows, or who is on one of its lists.

    role          None for one who is on a list and was never here
    banned_until  None for one who is not banned
    """

    name: str
    uid: str
    role: str | None = None
    online: bool = False
    whitelisted: bool = False
    banned_until: AwareDatetime | None = None


class PlayerOnline(BaseModel):
    """A player who plays; `address` is shown to the holder of the admin key only."""

    name: str
    uid: str
    client: int
    since: AwareDatetime
    address: str | None = None


class SessionEnd(StrEnum):
    """How a session ended; `unknown`: the manager was not there to see it."""

    LEFT = "left"
    UNKNOWN = "unknown"


class Session(BaseModel):
    """A stay of a player: `left_at` is None while it lasts, and when its end was not seen."""

    id: UUID
    name: str
    uid: str
    joined_at: AwareDatetime
    left_at: AwareDatetime | None = None
    ended: SessionEnd | None = None
    seconds: float | None = Field(None, description="How long it took, once it has ended")


class SessionLog(BaseModel):
    """The document of sessions, the oldest first."""

    sessions: list[Session] = []


class Listing(Schema):
    """Puts a player on the whitelist; `uid` is for one who was never here, game stopped."""

    reason: Reason | None = None
    uid: PlayerUid | None = None


class Ban(Schema):
    """Bans a player for so many units of time."""

    amount: Annotated[int, WholeNumber(1, MAX_PER_UNIT)]
    unit: BanUnit
    reason: Reason
    uid: PlayerUid | None = None


class Kick(Schema):
    """Throws a player out."""

    reason: Reason = "Kicked by an admin"


class RoleChange(Schema):
    """Gives a player a role of the game's settings; `uid` as for the whitelist."""

    role: RoleCode
    uid: PlayerUid | None = None


class Outcome(StrEnum):
    """What came of a change.

    done         the game's reply or its files show it
    unchanged    it was so before
    unconfirmed  the game took the command, and neither its reply nor its files tell yet
    """

    DONE = "done"
    UNCHANGED = "unchanged"
    UNCONFIRMED = "unconfirmed"


class Proof(StrEnum):
    """How we know: by the game's reply, by what it did, or because we wrote the file ourselves."""

    REPLY = "reply"
    EFFECT = "effect"
    FILE = "file"


class Change(BaseModel):
    """What came of a change, and the game's own words, in its language."""

    outcome: Outcome
    proof: Proof | None = None
    reply: list[str] = []


def utc(moment: datetime) -> datetime:
    """Return a moment of one of the game's files, which has a zone or is local time."""
    return moment if moment.tzinfo is not None else moment.astimezone()
