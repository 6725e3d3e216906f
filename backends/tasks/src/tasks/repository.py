"""The statements on tasks. Only here is SQL written; each is compiled once.

Every change is one statement, so each is a transaction by itself.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    ColumnElement,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bedplate.database import ReadSession, Row, Statement, WriteSession, any_of
from bedplate.database.pages import Keyset, Page, PagedList
from tasks.models import Task
from tasks.schemas import Task as TaskOut

_SHOWN = (
    Task.id,
    Task.user_id,
    Task.title,
    Task.description,
    Task.completed,
    Task.created_at,
    Task.updated_at,
)
_STORED = (*_SHOWN, Task.version)
NEWEST_FIRST = Keyset(Task.created_at, Task.id)

_OWNED = Task.user_id == bindparam("owner")
_THIS = (Task.id == bindparam("task_id")) & _OWNED
# One statement checks the version and changes it: of two writers one wins, and nobody waits.
_THIS_VERSION = _THIS & or_(
    bindparam("any_version", type_=Boolean), any_of(Task.version, "versions")
)


def _sent(name: str, column: Any) -> ColumnElement[Any]:
    return case(
        (bindparam(f"set_{name}", type_=Boolean), bindparam(f"new_{name}", type_=column.type)),
        else_=column,
    )


_GET = Statement(select(*_STORED).where(_THIS))
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
    .returning(*_STORED)
)
_CHANGE = Statement(
    update(Task)
    .where(_THIS_VERSION)
    .values(
        title=_sent("title", Task.title),
        description=_sent("description", Task.description),
        completed=_sent("completed", Task.completed),
        updated_at=bindparam("now"),
        version=Task.version + 1,
    )
    .returning(*_STORED)
)
_DELETE = Statement(delete(Task).where(_THIS_VERSION).returning(Task.id))
_DELETE_MANY = Statement(delete(Task).where(_OWNED, any_of(Task.id, "ids")).returning(Task.id))


@cache
def _list(*, by_completed: bool, by_text: bool) -> PagedList:
    items = select(*_SHOWN).where(_OWNED)
    if by_completed:
        items = items.where(Task.completed == bindparam("completed"))
    if by_text:
        pattern = bindparam("pattern", type_=Task.title.type)
        found = (
            func.lower(text).like(func.lower(pattern), escape="\\")
            for text in (Task.title, Task.description)
        )
        items = items.where(or_(*found))
    return PagedList(items, NEWEST_FIRST, TypeAdapter(list[TaskOut]))


async def page(
    session: ReadSession,
    owner: UUID,
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
        filters["pattern"] = f"%{_literally(text)}%"
    paged = _list(by_completed=completed is not None, by_text=text is not None)
    return await paged.page(session, limit=limit, cursor=cursor, owner=owner, **filters)


def _literally(text: str) -> str:
    """Return a LIKE pattern that means the text itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def get(session: ReadSession | WriteSession, owner: UUID, task_id: int) -> Row | None:
    """Return a user's task, or None."""
    return await session.one_or_none(_GET, owner=owner, task_id=task_id)


async def add(
    session: WriteSession,
    owner: UUID,
    *,
    title: str,
    description: str | None,
    completed: bool,
    now: datetime,
) -> Row:
    """Store a task and return it."""
    rows = await session.alone(
        _ADD,
        owner=owner,
        new_title=title,
        new_description=description,
        new_completed=completed,
        now=now,
    )
    return rows[0]


async def change(
    session: WriteSession,
    owner: UUID,
    task_id: int,
    *,
    versions: Sequence[int] | None,
    fields: dict[str, Any],
    now: datetime,
) -> Row | None:
    """Change the given fields if the task is there in one of `versions`; return it, or None."""
    values: dict[str, Any] = {}
    for name in ("title", "description", "completed"):
        values[f"set_{name}"] = name in fields
        values[f"new_{name}"] = fields.get(name)
    rows = await session.alone(
        _CHANGE, owner=owner, task_id=task_id, now=now, **values, **_accepted(versions)
    )
    return rows[0] if rows else None


async def remove(
    session: WriteSession, owner: UUID, task_id: int, *, versions: Sequence[int] | None
) -> bool:
    """Delete a task if it is there in one of `versions`; return whether it was."""
    rows = await session.alone(_DELETE, owner=owner, task_id=task_id, **_accepted(versions))
    return bool(rows)


def _accepted(versions: Sequence[int] | None) -> dict[str, Any]:
    return {"any_version": versions is None, "versions": versions or []}


async def remove_many(session: WriteSession, owner: UUID, ids: Sequence[int]) -> set[int]:
    """Delete those of `ids` that are the user's, in one statement; return which they were."""
    rows = await session.alone(_DELETE_MANY, owner=owner, ids=list(ids))
    return {row["id"] for row in rows}
