from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class BreakFound(BaseModel):
    """The first thing that isn't as the log has signed it."""

    kind: Literal["checkpoint", "record", "tile", "line", "trailer"]
    seq: int | None
    record_id: str | None
    message: str


class Verification(BaseModel):
    """A verification of a whole log, under way or done."""

    id: UUID
    tenant: str
    state: Literal["running", "verified", "broken", "failed"]
    entries: int = Field(description="How many entries were verified so far")
    size: int | None = Field(description="How many the checkpoint has")
    started_at: datetime
    ended_at: datetime | None
    found: BreakFound | None = Field(description="What is broken")
