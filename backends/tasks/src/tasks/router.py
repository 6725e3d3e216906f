"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import StringConstraints
from pydantic_core import to_json
from starlette.convertors import StringConvertor, register_url_convertor

from bedplate import clock
from bedplate.conditional import IfAbsent, IfMatch, IfNoneMatch, Preconditions, version_etag
from bedplate.conditional.idempotency import IdempotencyKeyReused, RequestStillRunning
from bedplate.database import Database, Row, WriteSession
from bedplate.database.dependencies import ReadSession
from bedplate.openapi import errors, headers
from bedplate.pagination import next_link
from bedplate.problems import PreconditionFailed, ServiceUnavailable
from bedplate.schemas import Int64Id, MultiLineStr, QueryBool, QueryInt
from bedplate.state import from_state
from tasks import repository, service
from tasks.exceptions import TaskNotFound
from tasks.schemas import BulkDelete, BulkDeleted, HealthStatus, Task, TaskNew, TaskPatch
from tasks.wiring import Idempotent, TaskChanges, UserId


class TaskIdConvertor(StringConvertor):
    """An id in a path. `bulk-delete` is none, so that other methods on it are a 405."""

    regex = "(?!bulk-delete$)[^/]+"


register_url_convertor("task_id", TaskIdConvertor())
router = APIRouter(prefix="/tasks", tags=["tasks"])
health_router = APIRouter(tags=["health"])

_FIELDS = tuple(Task.model_fields)
MAX_TASKS = 1000
PageSize = Annotated[int, QueryInt(1, MAX_TASKS)]
Cursor = Annotated[str, StringConstraints(pattern=repository.NEWEST_FIRST.pattern)]
SearchText = Annotated[str, MultiLineStr(200)]
TaskId = Annotated[Int64Id, Path(description="Number of the task")]


@router.get(
    "",
    response_model=list[Task],
    responses=headers(200, "Link"),
    summary="List your tasks, newest first",
)
async def list_tasks(
    request: Request,
    owner: UserId,
    session: ReadSession,
    limit: Annotated[PageSize, Query()] = 100,
    cursor: Annotated[Cursor | None, Query(description="From the Link header")] = None,
    completed: Annotated[QueryBool | None, Query()] = None,
    q: Annotated[SearchText | None, Query(description="Part of title or description")] = None,
) -> Response:
    """Return a page of tasks; the `Link` header leads to the next one."""
    page = await repository.page(
        session, owner, limit=limit, cursor=cursor, completed=completed, text=q
    )
    response = Response(page.body, media_type="application/json")
    if page.next_cursor is not None:
        response.headers["Link"] = next_link(request, cursor=page.next_cursor)
    return response


@router.post(
    "",
    status_code=201,
    response_model=Task,
    responses={
        **headers(201, "ETag", "Location"),
        **errors(RequestStillRunning, IdempotencyKeyReused),
    },
    summary="Add a task",
)
async def add_task(
    request: Request,
    new: TaskNew,
    owner: UserId,
    idempotent: Idempotent,
    changes: TaskChanges,
) -> Response:
    """Store a task. With an `Idempotency-Key`, the same request stores it once."""

    async def add(session: WriteSession) -> Response:
        task = await service.add(session, changes, owner, new)
        location = f"{request.scope.get('root_path', '')}/tasks/{task['id']}"
        return to_response(task, HTTPStatus.CREATED, {"Location": location})

    return await idempotent.run(owner, add, autocommit=not changes.recorded)


@router.post("/bulk-delete", summary="Delete many tasks")
async def bulk_delete(body: BulkDelete, owner: UserId, changes: TaskChanges) -> BulkDeleted:
    """Delete up to 1000 tasks at once; ids that aren't yours are `not_found`."""
    async with changes.session() as session:
        return await service.remove_many(session, changes, owner, body.ids)


@router.get(
    "/{task_id:task_id}",
    response_model=Task,
    responses={**headers(200, "ETag"), **headers(304, "ETag"), **errors(TaskNotFound)},
    summary="Get a task",
)
async def get_task(
    task_id: TaskId, owner: UserId, session: ReadSession, condition: IfNoneMatch
) -> Response:
    """Return a task with its ETag."""
    task = await service.get(session, owner, task_id)
    etag = version_etag(task["version"])
    if condition.not_modified(etag):
        return Response(status_code=304, headers={"ETag": etag})
    return to_response(task)


@router.put(
    "/{task_id:task_id}",
    response_model=Task,
    responses={**headers(200, "ETag"), **errors(TaskNotFound, PreconditionFailed)},
    summary="Replace a task",
)
async def replace_task(
    task_id: TaskId,
    new: TaskNew,
    owner: UserId,
    changes: TaskChanges,
    if_match: IfMatch,
    if_absent: IfAbsent,
) -> Response:
    """Replace title, description and completed."""
    condition = Preconditions(if_match.if_match, if_absent.if_none_match)
    async with changes.session() as session:
        task = await service.replace(session, changes, owner, task_id, new, condition)
    return to_response(task)


@router.patch(
    "/{task_id:task_id}",
    response_model=Task,
    responses={**headers(200, "ETag"), **errors(TaskNotFound, PreconditionFailed)},
    summary="Change a task",
)
async def patch_task(
    task_id: TaskId, sent: TaskPatch, owner: UserId, changes: TaskChanges, condition: IfMatch
) -> Response:
    """Change only the fields that are sent; a null description clears it."""
    async with changes.session() as session:
        task = await service.patch(session, changes, owner, task_id, sent, condition)
    return to_response(task)


@router.delete(
    "/{task_id:task_id}",
    status_code=204,
    responses=errors(TaskNotFound, PreconditionFailed),
    summary="Delete a task",
)
async def delete_task(
    task_id: TaskId, owner: UserId, changes: TaskChanges, condition: IfMatch
) -> None:
    """Delete a task."""
    async with changes.session() as session:
        await service.remove(session, changes, owner, task_id, condition)


def to_response(task: Row, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return the response with a task, built from its row, which was validated when stored."""
    return Response(
        to_json({name: task[name] for name in _FIELDS}),
        status,
        {"ETag": version_etag(task["version"]), **(headers or {})},
        "application/json",
    )


@health_router.get("/health", responses=errors(ServiceUnavailable), summary="Is the API up?")
async def health(database: Annotated[Database, from_state(Database)]) -> HealthStatus:
    """Return the time when the database answers. Probes use the z-pages instead."""
    await database.ping()
    return HealthStatus(status="healthy", timestamp=clock.now())
