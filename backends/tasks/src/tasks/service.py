"""The rules of tasks. Nothing here knows HTTP, and nothing commits."""

from typing import Any
from uuid import UUID

from bedplate import clock
from bedplate.conditional import Preconditions, changed
from bedplate.database import ReadSession, Row, WriteSession
from tasks import repository
from tasks.exceptions import TaskNotFound
from tasks.schemas import BulkDeleted, TaskNew, TaskPatch


async def get(session: ReadSession, owner: UUID, task_id: int) -> Row:
    """Return a user's task. Raises `TaskNotFound`, also for another user's."""
    task = await repository.get(session, owner, task_id)
    if task is None:
        raise TaskNotFound
    return task


async def add(session: WriteSession, owner: UUID, new: TaskNew) -> Row:
    """Store a new task and return it."""
    return await repository.add(session, owner, **new.model_dump(), now=clock.now())


async def replace(
    session: WriteSession, owner: UUID, task_id: int, new: TaskNew, condition: Preconditions
) -> Row:
    """Replace title, description and completed. Raises `TaskNotFound`, `PreconditionFailed`."""
    return await _change(session, owner, task_id, new.model_dump(), condition)


async def patch(
    session: WriteSession, owner: UUID, task_id: int, sent: TaskPatch, condition: Preconditions
) -> Row:
    """Change only what was sent. Raises `TaskNotFound`, `PreconditionFailed`."""
    fields = sent.model_dump(exclude_unset=True)
    return await _change(session, owner, task_id, fields, condition)


async def _change(
    session: WriteSession,
    owner: UUID,
    task_id: int,
    fields: dict[str, Any],
    condition: Preconditions,
) -> Row:
    task = await repository.change(
        session, owner, task_id, versions=condition.versions(), fields=fields, now=clock.now()
    )
    if task is None:
        await _explain_absence(session, owner, task_id)
    return task or {}


async def remove(
    session: WriteSession, owner: UUID, task_id: int, condition: Preconditions
) -> None:
    """Delete a task. Raises `TaskNotFound`, `PreconditionFailed`."""
    if not await repository.remove(session, owner, task_id, versions=condition.versions()):
        await _explain_absence(session, owner, task_id)


async def _explain_absence(session: WriteSession, owner: UUID, task_id: int) -> None:
    if await repository.get(session, owner, task_id) is None:
        raise TaskNotFound
    raise changed()


async def remove_many(session: WriteSession, owner: UUID, ids: list[int]) -> BulkDeleted:
    """Delete many at once, and say of each id, in the order sent, what became of it."""
    folded = list(dict.fromkeys(ids))
    deleted = await repository.remove_many(session, owner, folded)
    return BulkDeleted(
        deleted=[task_id for task_id in folded if task_id in deleted],
        not_found=[task_id for task_id in folded if task_id not in deleted],
    )
