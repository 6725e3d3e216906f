"""HTTP: long work, to be watched."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from bedplate.openapi import errors
from bedplate.schemas import QueryInt
from gameserver.operations.exceptions import OperationNotFound
from gameserver.operations.schemas import Operation, OperationKind, OperationState
from gameserver.operations.service import MAX_KEPT
from gameserver.operations.wiring import CurrentOperations
from gameserver.security import CurrentMonitor

router = APIRouter(prefix="/operations", tags=["operations"])


@router.get("", summary="List long work, newest first")
async def list_operations(
    operations: CurrentOperations,
    _: CurrentMonitor,
    kind: OperationKind | None = None,
    state: OperationState | None = None,
    limit: Annotated[int, QueryInt(1, MAX_KEPT), Query()] = 50,
) -> list[Operation]:
    """Return what is under way and what ended last."""
    return [
        one
        for one in operations.list()
        if (kind is None or one.kind is kind) and (state is None or one.state is state)
    ][:limit]


@router.get(
    "/{operation_id}", responses=errors(OperationNotFound), summary="Watch one piece of long work"
)
async def get_operation(
    operation_id: UUID, operations: CurrentOperations, _: CurrentMonitor
) -> Operation:
    """Return where it stands: poll until `state` is `done` or `failed`."""
    return operations.get(str(operation_id))
