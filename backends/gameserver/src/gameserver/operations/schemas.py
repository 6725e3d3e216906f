from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class OperationKind(StrEnum):
    """Work that takes longer than a request may."""

    BACKUP = "backup"
    COPY = "copy"
    RESTORE = "restore"
    UPLOAD = "upload"
    INSTALL = "install"
    SWITCH = "switch"
    MODS = "mods"


class OperationState(StrEnum):
    """An operation begins as running, and ends once."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class OperationProblem(BaseModel):
    """Why an operation failed: the members of a problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    status: int
    code: str
    title: str
    detail: str | None = None


class Operation(BaseModel):
    """Long-running work: its progress, and its result.

    progress   0 to 1
    detail     the present step, or the last one
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
    """The stored operations, the oldest first."""

    operations: list[Operation] = Field(default_factory=list)
