from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from bedplate.schemas import MultiLineStr, Schema, SingleLineStr, WholeNumber
from live.models.sessions import (
    MAX_DESCRIPTION_LENGTH,
    MAX_LABEL_LENGTH,
    MAX_PARTICIPANTS,
    MAX_TITLE_LENGTH,
)

Title = Annotated[str, SingleLineStr(MAX_TITLE_LENGTH)]
Description = Annotated[str, MultiLineStr(MAX_DESCRIPTION_LENGTH)]
Capacity = Annotated[int, WholeNumber(1, MAX_PARTICIPANTS)]
BannedWord = Annotated[str, SingleLineStr(50)]
SessionState = Literal["draft", "active", "completed"]


class SessionSettings(Schema):
    """How a session treats those who join."""

    late_join: StrictBool = Field(
        default=True, description="Whether one may join after the first activity was opened"
    )
    anonymous: StrictBool = Field(
        default=False, description="New activities are anonymous unless they say otherwise"
    )
    nicknames: Literal["chosen", "generated"] = Field(
        "chosen", description="Whether participants choose their names"
    )
    banned_words: Annotated[list[BannedWord], Field(max_length=500)] = Field(
        default_factory=list,
        description="Refused in nicknames and in participants' own words, as whole words, however"
        " they are spelled; a * before or after stands for further letters",
    )


class SessionNew(Schema):
    """What makes a session."""

    title: Title
    description: Description | None = None
    max_participants: Capacity = 100
    settings: SessionSettings = Field(default_factory=SessionSettings)


class SessionPatch(Schema):
    """What changes of a session: only what is sent, of its settings too.

    A null description clears it.
    """

    title: Title = ""
    description: Description | None = None
    max_participants: Capacity = 100
    settings: SessionSettings = Field(default_factory=SessionSettings)


class Session(BaseModel):
    """A session as its hosts see it."""

    id: UUID
    code: str
    join_url: str
    title: str
    description: str | None
    max_participants: int
    participants: int
    settings: SessionSettings
    state: SessionState
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    completed_at: AwareDatetime | None


class SessionCreated(Session):
    """A new session; `host_token` is there when none was sent, and never shown again."""

    host_token: str | None = None


class SessionSummary(BaseModel):
    """A session in the list of its host: without its code."""

    id: UUID
    title: str
    state: SessionState
    participants: int
    max_participants: int
    created_at: AwareDatetime


class SessionList(BaseModel):
    """A page of sessions, newest first."""

    items: list[SessionSummary]


class JoinInfo(BaseModel):
    """What somebody with the code joins."""

    model_config = ConfigDict(from_attributes=True)

    session_id: UUID
    title: str
    description: str | None
    state: SessionState
    nicknames: Literal["chosen", "generated"]
    full: bool
    joinable: bool


class LinkNew(Schema):
    """A further token for a session."""

    role: Literal["cohost", "moderator", "screen"]
    label: Annotated[str, SingleLineStr(MAX_LABEL_LENGTH)] = "Link"


class Link(BaseModel):
    """A token that was given out, without the token itself."""

    id: UUID
    role: str
    label: str
    created_at: datetime


class LinkCreated(Link):
    """A new token, which is never shown again."""

    token: str


class LinkList(BaseModel):
    """The tokens of a session that can be revoked."""

    items: list[Link]
