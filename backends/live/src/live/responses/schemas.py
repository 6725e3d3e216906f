from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from bedplate.schemas import Schema


class ResponsePut(Schema):
    """A participant's answer; what it holds is described at `/activity-types`."""

    answer: dict[str, Any]


class Response(BaseModel):
    """A participant's own answer. A secret ballot's isn't kept, so it can't be shown."""

    activity_id: UUID
    round: int
    status: Literal["stored", "changed", "already"] = Field(
        description="already: the same answer was stored before"
    )
    answer: dict[str, Any] | None
    anonymous: bool
    secret: bool
