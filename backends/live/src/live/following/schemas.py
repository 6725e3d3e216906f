from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from live.activities.schemas import PublicActivity


class State(BaseModel):
    """What a session is now: for those who poll, and for streams that begin."""

    session_id: UUID
    title: str
    description: str | None
    state: Literal["draft", "active", "completed"]
    participants: int
    max_participants: int
    version: int
    activity: PublicActivity | None = Field(description="The one that was opened last")
    results_version: int | None = Field(description="Of that activity's current round")
    stored: int | None = Field(description="How many answered in that round")
