"""The rules. Nothing here knows requests and responses, and nothing commits."""

from datetime import timedelta
from typing import Any, Final, NoReturn

from pydantic import SecretStr

from bedplate import clock, ids
from bedplate.auth.hashed_sessions import hash_token
from bedplate.conditional import Preconditions
from bedplate.database import ReadSession, Row, WriteSession
from bedplate.problems import PreconditionFailed
from tasks import repository
from tasks.changes import Changes
from tasks.exceptions import TaskNotFound
from tasks.schemas import BulkDeleted, TaskNew, TaskPatch

_SESSION_LIFETIME: Final = timedelta(days=7)


async def get(session: ReadSession, owner: str, task_id: int) -> Row:
    """Return a user's task. Raises `TaskNotFound`, also for another user's."""
    task = await repository.get(session, owner, task_id)
    if task is None:
        raise TaskNotFound
    return task


async def add(session: WriteSession, changes: Changes, owner: str, new: TaskNew) -> Row:
    """Store a new task and return it."""
    task = await repository.add(session, owner, **new.model_dump(), now=clock.now())
    await changes.record(session, "create", owner, [task["id"]])
    return task


async def replace(
    session: WriteSession,
    changes: Changes,
    owner: str,
    task_id: int,
    new: TaskNew,
    condition: Preconditions,
) -> Row:
    """Replace title, description and completed. Raises `TaskNotFound`, `PreconditionFailed`."""
    return await _change(session, changes, owner, task_id, new.model_dump(), condition)


async def patch(
    session: WriteSession,
    changes: Changes,
    owner: str,
    task_id: int,
    sent: TaskPatch,
    condition: Preconditions,
) -> Row:
    """Change only the fields that the client sent. Raises `TaskNotFound`, `PreconditionFailed`."""
    fields = sent.model_dump(exclude_unset=True)
    return await _change(session, changes, owner, task_id, fields, condition)


async def _change(
    session: WriteSession,
    changes: Changes,
    owner: str,
    task_id: int,
    fields: dict[str, Any],
    condition: Preconditions,
) -> Row:
    now = clock.now()
    task = await repository.change(
        session, owner, task_id, versions=condition.versions(), fields=fields, now=now
    )
    if task is None:
        return await _explain_absence(session, owner, task_id)
    if task["updated_at"] == now:  # else nothing changed
        await changes.record(session, "update", owner, [task_id], list(fields))
    return task


async def remove(
    session: WriteSession, changes: Changes, owner: str, task_id: int, condition: Preconditions
) -> None:
    """Delete a task. Raises `TaskNotFound`, `PreconditionFailed`."""
    if not await repository.remove(session, owner, task_id, versions=condition.versions()):
        await _explain_absence(session, owner, task_id)
    await changes.record(session, "delete", owner, [task_id])


async def _explain_absence(session: WriteSession, owner: str, task_id: int) -> NoReturn:
    if await repository.get(session, owner, task_id) is None:
        raise TaskNotFound
    raise PreconditionFailed


async def remove_many(
    session: WriteSession, changes: Changes, owner: str, task_ids: list[int]
) -> BulkDeleted:
    """Delete many tasks at once; the result names each id once, in the order sent."""
    unique = list(dict.fromkeys(task_ids))
    found = await repository.remove_many(session, owner, unique)
    deleted = [task_id for task_id in unique if task_id in found]
    await changes.record(session, "delete", owner, deleted)
    return BulkDeleted(
        deleted=deleted,
        not_found=[task_id for task_id in unique if task_id not in found],
    )


async def sign_in(session: WriteSession, secret: SecretStr, email: str) -> str:
    """Create a session as the auth server would, and the user if need be; return its token."""
    token = ids.token(16)
    now = clock.now()
    user_id = await repository.find_or_add_user(session, email, ids.uuid())
    await repository.add_session(
        session,
        user_id,
        session_id=ids.uuid(),
        token_hash=hash_token(secret, token.encode()),
        now=now,
        expires_at=now + _SESSION_LIFETIME,
    )
    return token
