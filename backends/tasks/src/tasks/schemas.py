from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from bedplate.schemas import MAX_INT64, MultiLineStr, Schema, SingleLineStr, StrictInt64Id
from tasks.models import MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH

Title = Annotated[str, SingleLineStr(MAX_TITLE_LENGTH)]
Description = Annotated[str, MultiLineStr(MAX_DESCRIPTION_LENGTH)]
MAX_IDS = 1000


class Task(BaseModel):
    """A task as clients see it."""

    id: int = Field(ge=1, lt=MAX_INT64 + 1)
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime


class TaskNew(Schema):
    """What makes a task, and what replaces one with PUT."""

    title: Title
    description: Description | None = None
    completed: StrictBool = False


def _without_defaults(schema: dict[str, Any]) -> None:
    """Leave defaults out: a generated client would send them, and change what it never named."""
    for field in schema["properties"].values():
        field.pop("default", None)


class TaskPatch(Schema):
    """What changes of a task: only the fields that are sent. A null description clears it."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    title: Title = ""
    description: Description | None = None
    completed: StrictBool = False


class BulkDelete(Schema):
    """Which tasks to delete; ids that come twice count once."""

    ids: Annotated[list[StrictInt64Id], Field(min_length=1, max_length=MAX_IDS)]


class BulkDeleted(BaseModel):
    """What became of each id: deleted, or not there (or somebody else's)."""

    deleted: list[int]
    not_found: list[int]


class HealthStatus(BaseModel):
    """That the API is up, and its time."""

    status: str
    timestamp: datetime
