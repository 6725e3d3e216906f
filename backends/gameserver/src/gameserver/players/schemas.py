"""Names, reasons and all other texts of the game are untrusted."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from bedplate.schemas import Schema, SingleLineStr, WholeNumber

PlayerName = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,16}$")]
"""A name as the game accepts it; never a selector (`o[]`)."""

PlayerUid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/=-]{1,64}$")]
RoleCode = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,32}$")]
Reason = Annotated[str, SingleLineStr(200, printable=True)]


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

    role          None for a listed player who has never joined
    banned_until  None for a player who is not banned
    """

    name: str
    uid: str
    role: str | None = None
    online: bool = False
    whitelisted: bool = False
    banned_until: AwareDatetime | None = None


class PlayerOnline(BaseModel):
    """An online player; only the holder of the admin key sees the address."""

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
    """A stay of a player: `left_at` is None while it lasts and when its end was not seen."""

    id: UUID
    name: str
    uid: str
    joined_at: AwareDatetime
    left_at: AwareDatetime | None = None
    ended: SessionEnd | None = None
    seconds: float | None = Field(None, description="Duration, once it has ended")


class SessionLog(BaseModel):
    """The stored sessions, the oldest first."""

    sessions: list[Session] = []


class Listing(Schema):
    """Whitelists a player; `uid` is for one who has never joined, while the game is stopped."""

    reason: Reason | None = None
    uid: PlayerUid | None = None


class Ban(Schema):
    """Bans a player for a number of units of time."""

    amount: Annotated[int, WholeNumber(1, 1_000)]
    unit: BanUnit
    reason: Reason
    uid: PlayerUid | None = None


class Kick(Schema):
    """Kicks a player."""

    reason: Reason = "Kicked by an admin"


class RoleChange(Schema):
    """Gives a player a role of the game's settings; `uid` as for the whitelist."""

    role: RoleCode
    uid: PlayerUid | None = None


class Outcome(StrEnum):
    """The outcome of a change.

    done         the game's reply or its files prove it
    unchanged    nothing had to change
    unconfirmed  the game took the command, and neither its reply nor its files prove it yet
    """

    DONE = "done"
    UNCHANGED = "unchanged"
    UNCONFIRMED = "unconfirmed"


class Proof(StrEnum):
    """What proves success: the game's reply, its effect, or that the manager wrote the file."""

    REPLY = "reply"
    EFFECT = "effect"
    FILE = "file"


class Change(BaseModel):
    """The outcome of a change, and the game's reply in its own language."""

    outcome: Outcome
    proof: Proof | None = None
    reply: list[str] = []
