from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bedplate.schemas import Schema
from gameserver.console.lines import ConsoleLine
from gameserver.console.sanitize import MAX_COMMAND_BYTES

Level = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,20}$")]
"""Chat, Event, Notification, Warning, Error, Fatal, … of the game; Stderr; Manager."""

Levels = Annotated[list[Level], Field(max_length=20)]


class CommandRequest(Schema):
    """A command for the game."""

    command: str = Field(
        min_length=1,
        max_length=MAX_COMMAND_BYTES,
        examples=["/time"],
        description="One line of at most 1,022 bytes in UTF-8. With / it is a command; without, "
        "everybody reads it as chat.",
    )
    allow_selectors: bool = Field(
        default=False, strict=True, description="Allow words with [, which select players: o[], a[]"
    )
    wait: float = Field(
        0.4, ge=0.05, le=10, strict=True, description="Seconds to wait for the reply, at most"
    )


class CommandAnswer(BaseModel):
    """The game's reply."""

    lines: list[str] = Field(description="The game's own words, in its language; untrusted text")
    echoed: bool = Field(description="Whether the game has read the command")


class Line(BaseModel):
    """A message of the console."""

    number: int
    at: datetime = Field(description="When it was read")
    level: str | None
    text: str = Field(description="Untrusted text; lines of one message are joined by a line feed")
    continued: bool = Field(description="Whether it continues the message before")


class Lines(BaseModel):
    """A range of the console."""

    run: str = Field(description="Id of this numbering; a restarted manager begins another")
    first: int = Field(description="Number of the oldest line that is available")
    last: int = Field(description="Number to continue after")
    lines: list[Line]


class RunMods(BaseModel):
    """The mods of the present run, as the game lists them."""

    loaded: list[str] = Field(description="Ids, in the order in which they are loaded")
    failed: dict[str, str] = Field(description="Why, by id")


class Saves(BaseModel):
    """Saves of the present run."""

    count: int
    saving_since: datetime | None
    last_at: datetime | None
    last_seconds: float | None


class Overloads(BaseModel):
    """Ticks that took too long, in the present run."""

    count: int
    last_at: datetime | None
    last_milliseconds: int | None


class IssuedTicket(BaseModel):
    """Allows one connection."""

    id: str = Field(description="Id of the connection, to revoke it")
    ticket: str
    expires_at: datetime


class ConsoleConnection(BaseModel):
    """An open connection to the console."""

    id: str
    by: str
    address: str | None
    since: datetime


class Hello(BaseModel):
    """The first message of a WebSocket client: its credentials, and where to begin."""

    model_config = ConfigDict(extra="forbid")

    ticket: Annotated[str, StringConstraints(max_length=200)] | None = None
    key: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    after: Annotated[int, Field(ge=0, le=2**53)] | None = None
    run: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")] | None = None
    levels: Levels | None = None


class Filter(BaseModel):
    """A later message of a WebSocket client: the levels to receive; null for all."""

    model_config = ConfigDict(extra="forbid")

    levels: Levels | None


@dataclass(frozen=True)
class OfLevels:
    """A filter that passes lines of these levels, and the manager's own."""

    levels: frozenset[str]

    @classmethod
    def named(cls, levels: list[str] | None) -> "OfLevels | None":
        """Return the filter for these names, in any case; None to pass every line."""
        return cls(frozenset(level.lower() for level in levels)) if levels else None

    def __call__(self, line: ConsoleLine) -> bool:
        """Return whether the line passes."""
        level = (line.level or "").lower()
        return level in self.levels or level == "manager"
