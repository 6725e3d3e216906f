"""The statements. Only here is SQL written; each is compiled once.

Every change of tasks is one statement, so that a route may declare `Autocommit` for it.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bedplate.auth.tables import user_sessions, users
from bedplate.database import AnyOf, ReadSession, Row, Statement, WriteSession
from bedplate.database.pages import Keyset, Page, PagedList
from bedplate.database.partial_updates import any_other_value, new_value_if_set, values_if_set
from tasks.models import Task
from tasks.schemas import Task as TaskOut

_LISTED = (
    Task.id,
    Task.user_id,
    Task.title,
    Task.description,
    Task.completed,
    Task.created_at,
    Task.updated_at,
)
_COLUMNS = (*_LISTED, Task.version)
NEWEST_FIRST = Keyset(Task.created_at, Task.id)

_OWNED = Task.user_id == bindparam("owner")
_SAME_TASK = (Task.id == bindparam("task_id")) & _OWNED
# One statement checks the version and changes it: of two writers one wins, and nobody waits.
_SAME_VERSION = _SAME_TASK & or_(
    bindparam("any_version", type_=Boolean), AnyOf(Task.version, "versions")
)
_NOW = bindparam("now", type_=Task.updated_at.type)

_GET = Statement(select(*_COLUMNS).where(_SAME_TASK))
_ADD = Statement(
    insert(Task)
    .values(
        user_id=bindparam("owner"),
        title=bindparam("new_title"),
        description=bindparam("new_description"),
        completed=bindparam("new_completed"),
        created_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
    .returning(*_COLUMNS)
)
_CHANGES_SOMETHING = any_other_value(Task.title, Task.description, Task.completed)
_CHANGE = Statement(
    update(Task)
    .where(_SAME_VERSION)
    .values(
        title=new_value_if_set(Task.title),
        description=new_value_if_set(Task.description),
        completed=new_value_if_set(Task.completed),
        updated_at=case((_CHANGES_SOMETHING, _NOW), else_=Task.updated_at),
        version=Task.version + case((_CHANGES_SOMETHING, 1), else_=0),
    )
    .returning(*_COLUMNS)
)
_DELETE = Statement(delete(Task).where(_SAME_VERSION).returning(Task.id))
_DELETE_MANY = Statement(delete(Task).where(_OWNED, AnyOf(Task.id, "ids")).returning(Task.id))


@cache
def _list(*, by_completed: bool, by_text: bool) -> PagedList:
    items = select(*_LISTED).where(_OWNED)
    if by_completed:
        items = items.where(Task.completed == bindparam("completed"))
    if by_text:
        pattern = bindparam("pattern", type_=Task.title.type)
        matches = (
            func.lower(text).like(func.lower(pattern), escape="\\")
            for text in (Task.title, Task.description)
        )
        items = items.where(or_(*matches))
    return PagedList(items, NEWEST_FIRST, TypeAdapter(list[TaskOut]))


async def page(
    session: ReadSession,
    owner: str,
    *,
    limit: int,
    cursor: str | None,
    completed: bool | None,
    text: str | None,
) -> Page:
    """Return a page of a user's tasks as JSON, newest first, filtered."""
    filters: dict[str, Any] = {}
    if completed is not None:
        filters["completed"] = completed
    if text is not None:
        filters["pattern"] = f"%{_escape_like(text)}%"
    paged = _list(by_completed=completed is not None, by_text=text is not None)
    return await paged.page(session, limit=limit, cursor=cursor, owner=owner, **filters)


def _escape_like(text: str) -> str:
    """Return a LIKE pattern that means the text itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def get(session: ReadSession | WriteSession, owner: str, task_id: int) -> Row | None:
    """Return a user's task, or None."""
    return await session.one_or_none(_GET, owner=owner, task_id=task_id)


async def add(
    session: WriteSession,
    owner: str,
    *,
    title: str,
    description: str | None,
    completed: bool,
    now: datetime,
) -> Row:
    """Store a task and return it."""
    return await session.one(
        _ADD,
        owner=owner,
        new_title=title,
        new_description=description,
        new_completed=completed,
        now=now,
    )


async def change(
    session: WriteSession,
    owner: str,
    task_id: int,
    *,
    versions: Sequence[int] | None,
    fields: dict[str, Any],
    now: datetime,
) -> Row | None:
    """Change these fields if the task is there in one of `versions`; return it, or None.

    Where they are what it has already, it keeps its version and its `updated_at`.
    """
    values = values_if_set(("title", "description", "completed"), fields)
    return await session.one_or_none(
        _CHANGE, owner=owner, task_id=task_id, now=now, **values, **_accepted(versions)
    )


async def remove(
    session: WriteSession, owner: str, task_id: int, *, versions: Sequence[int] | None
) -> bool:
    """Delete a task if it is there in one of `versions`; return whether it was."""
    rows = await session.all(_DELETE, owner=owner, task_id=task_id, **_accepted(versions))
    return bool(rows)


def _accepted(versions: Sequence[int] | None) -> dict[str, Any]:
    return {"any_version": versions is None, "versions": versions or []}


async def remove_many(session: WriteSession, owner: str, ids: Sequence[int]) -> set[int]:
    """Delete those of `ids` that are the user's, in one statement; return which they were."""
    rows = await session.all(_DELETE_MANY, owner=owner, ids=list(ids))
    return {row["id"] for row in rows}


_FIND_USER = Statement(select(users.c.id).where(users.c.email == bindparam("address")))
_ADD_USER = Statement(
    insert(users).values(id=bindparam("new_id"), email=bindparam("address")).returning(users.c.id)
)
_ADD_SESSION = Statement(
    insert(user_sessions)
    .values(
        id=bindparam("new_id"),
        user_id=bindparam("of"),
        token_hash=bindparam("new_hash"),
        expires_at=bindparam("until"),
        revoked=False,
        created_at=bindparam("now"),
    )
    .returning(user_sessions.c.id)
)


async def find_or_add_user(session: WriteSession, email: str, new_id: UUID) -> UUID:
    """Return the id of the stand-in auth server's user with this address; add one if need be."""
    user = await session.one_or_none(_FIND_USER, address=email)
    user = user or await session.one(_ADD_USER, new_id=new_id, address=email)
    user_id: UUID = user["id"]
    return user_id


async def add_session(
    session: WriteSession,
    user_id: UUID,
    *,
    session_id: UUID,
    token_hash: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Store a session of the stand-in auth server."""
    await session.one(
        _ADD_SESSION, new_id=session_id, of=user_id, new_hash=token_hash, until=expires_at, now=now
    )
