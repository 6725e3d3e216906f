from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from bedplate.schemas import Schema


class Result(BaseModel):
    """The result of a round: absolute, with a version that grows with each change."""

    activity_id: UUID
    round: int
    version: int
    state: Literal["draft", "open", "closed", "revealed"]
    stored: int = Field(description="How many answers are stored")
    received: int | None = Field(default=None, description="How many came in: for hosts")
    held_back: bool = Field(description="Too few answers to show without naming anybody")
    result: dict[str, Any] | None
    own: dict[str, Any] | None = Field(default=None, description="The caller's own points")


class Standing(BaseModel):
    """One line of the leaderboard; ranks are 1, 2, 2, 4."""

    rank: int
    nickname: str
    points: int
    seconds: float = Field(description="How long the answers took together")
    streak: int
    own: bool = False


class Leaderboard(BaseModel):
    """The best, and the caller's own place."""

    version: int
    participants: int
    items: list[Standing]
    own: Standing | None = None


class ModeratedItem(BaseModel, from_attributes=True):
    """Participants' words, as moderators see them."""

    key: str
    label: str
    count: int
    state: Literal["visible", "waiting", "hidden"]
    pinned: bool
    answered: bool


class ModeratedItems(BaseModel):
    """All words of a round."""

    items: list[ModeratedItem]


class ModerationPatch(Schema):
    """What a moderator decides: only the fields that are sent change."""

    state: Literal["visible", "hidden"] | None = None
    pinned: StrictBool | None = None
    answered: StrictBool | None = None
