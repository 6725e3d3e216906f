"""What clients see of streams."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class StreamState(BaseModel):
    """How far a stream is."""

    name: str
    tenant: str
    format: Literal["events", "ocsf"]
    destination: str = Field(description="Scheme and host of where it leads to")
    position: int = Field(description="Sequence number of the next event to send")
    lag: int = Field(description="How many events are still to be sent")
    sent_at: datetime | None = Field(description="When the last batch was delivered")
    error: str | None = Field(description="Why the last try failed; null when it didn't")
