from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from bedplate.openapi import errors, headers
from bedplate.pagination import CurrentPaging
from bedplate.schemas import QueryInt
from gameserver.operations.exceptions import OperationNotFound
from gameserver.operations.schemas import Operation, OperationKind, OperationState
from gameserver.operations.service import MAX_KEPT
from gameserver.operations.wiring import CurrentOperations
from gameserver.security import CurrentMonitor

router = APIRouter(prefix="/operations", tags=["operations"])


@router.get("", responses=headers(200, "Link"), summary="List operations, newest first")
async def list_operations(
    operations: CurrentOperations,
    _: CurrentMonitor,
    paging: CurrentPaging,
    kind: OperationKind | None = None,
    state: OperationState | None = None,
    limit: Annotated[int, QueryInt(1, MAX_KEPT), Query()] = 50,
) -> list[Operation]:
    """Return the operations in progress and the last that ended."""
    return paging(operations.page(kind=kind, state=state, after=paging.after, limit=limit))


@router.get("/{operation_id}", responses=errors(OperationNotFound), summary="Read an operation")
async def get_operation(
    operation_id: UUID, operations: CurrentOperations, _: CurrentMonitor
) -> Operation:
    """Return its progress: poll until `state` is `done` or `failed`."""
    return operations.get(str(operation_id))
