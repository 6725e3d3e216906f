"""What clients see of an operation, and what is kept of it."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class OperationKind(StrEnum):
    """What takes longer than a request may."""

    BACKUP = "backup"
    COPY = "copy"
    RESTORE = "restore"
    UPLOAD = "upload"
    INSTALL = "install"
    SWITCH = "switch"
    MODS = "mods"


class OperationState(StrEnum):
    """How far an operation is: it begins as running, and ends once."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class OperationProblem(BaseModel):
    """Why an operation failed, in the words of a problem document (RFC 9457), with its members."""

    model_config = ConfigDict(extra="allow")

    status: int
    code: str
    title: str
    detail: str | None = None


class Operation(BaseModel):
    """Long work: where it stands, and what came of it.

    progress   0 to 1
    detail     what it does at the moment, or did last
    result     what it made, by name: `{"backup": "<id>"}`
    """

    id: str
    kind: OperationKind
    state: OperationState = OperationState.RUNNING
    progress: float = Field(0.0, ge=0, le=1)
    detail: str = ""
    by: str
    started_at: datetime
    finished_at: datetime | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)
    error: OperationProblem | None = None


class OperationLog(BaseModel):
    """The operations that are kept, the oldest first."""

    operations: list[Operation] = Field(default_factory=list)
