"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from bedplate.database import Row
from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.openapi import errors, headers
from live.activities import repository, service
from live.activities.exceptions import (
    ActivityFrozen,
    ActivityNotFound,
    AnotherActivityOpen,
    OrderIncomplete,
)
from live.activities.schemas import (
    Activity,
    ActivityExample,
    ActivityList,
    ActivityNew,
    ActivityPatch,
    ActivityTypeInfo,
    ActivityTypeList,
    Opening,
    Order,
)
from live.activity_type import all_types
from live.events.wiring import CurrentChanges, CurrentEvents
from live.exceptions import SessionCompleted, SessionNotFound, WrongState, WrongToken
from live.sessions.wiring import CurrentHost

router = APIRouter(prefix="/api/v1/sessions/{session_id}/activities", tags=["activities"])
types_router = APIRouter(prefix="/api/v1", tags=["activities"])
REFUSALS = errors(SessionNotFound, ActivityNotFound, WrongToken)
CHANGES = REFUSALS | errors(WrongState, SessionCompleted)


@types_router.get("/activity-types", summary="Which types of activities are there?")
async def list_types() -> ActivityTypeList:
    """Return every type, with JSON Schemas of its configuration and its answers, and an example."""
    return ActivityTypeList(
        items=[
            ActivityTypeInfo(
                name=kind.name,
                title=kind.title,
                scored=kind.scored,
                config=kind.config.model_json_schema(),
                answer=kind.answer.model_json_schema(),
                example=ActivityExample.model_validate(kind.example),
            )
            for kind in all_types().values()
        ]
    )


@router.get("", responses=REFUSALS, summary="List the activities")
async def list_activities(entry: CurrentHost, session: ReadSession) -> ActivityList:
    """Return all activities to hosts, in their order, with notes and correct answers."""
    rows = await repository.in_order(session, entry.session_id)
    return ActivityList(items=[to_activity(row) for row in rows])


@router.post(
    "",
    status_code=201,
    responses=REFUSALS | errors(SessionCompleted) | headers(201, "Location"),
    summary="Add an activity",
)
async def add_activity(
    request: Request,
    response: Response,
    new: ActivityNew,
    entry: CurrentHost,
    session: WriteSession,
) -> Activity:
    """Store a draft at the end of the order."""
    row = await service.add(session, entry.session_id, new)
    response.headers["Location"] = f"{request.url.path}/{row['id']}"
    return to_activity(row)


@router.post(
    "/reorder",
    responses=REFUSALS | errors(OrderIncomplete, SessionCompleted),
    summary="Put the activities into another order",
)
async def reorder(order: Order, entry: CurrentHost, session: WriteSession) -> ActivityList:
    """Set the order of all activities in one call."""
    rows = await service.reorder(session, entry.session_id, order.ids)
    return ActivityList(items=[to_activity(row) for row in rows])


@router.get("/{activity_id}", responses=REFUSALS, summary="Get an activity")
async def get_activity(activity_id: UUID, entry: CurrentHost, session: ReadSession) -> Activity:
    """Return an activity to hosts."""
    return to_activity(await service.get(session, entry.session_id, activity_id))


@router.patch(
    "/{activity_id}",
    responses=CHANGES | errors(ActivityFrozen),
    summary="Change an activity",
)
async def change_activity(
    activity_id: UUID,
    patch: ActivityPatch,
    entry: CurrentHost,
    session: WriteSession,
    events: CurrentEvents,
) -> Activity:
    """Change only the fields that are sent; what answers were given to is frozen."""
    row = await service.change(session, events, entry.session_id, activity_id, patch)
    return to_activity(row)


@router.delete(
    "/{activity_id}",
    status_code=204,
    responses=REFUSALS | errors(SessionCompleted),
    summary="Delete an activity",
)
async def delete_activity(
    activity_id: UUID, entry: CurrentHost, session: WriteSession, events: CurrentEvents
) -> None:
    """Delete an activity with its answers."""
    await service.remove(session, events, entry.session_id, activity_id)


@router.post(
    "/{activity_id}/open",
    responses=CHANGES | errors(AnotherActivityOpen),
    summary="Open an activity",
)
async def open_activity(
    activity_id: UUID,
    entry: CurrentHost,
    session: WriteSession,
    events: CurrentEvents,
    opening: Opening | None = None,
) -> Activity:
    """Take answers from now on, until it is closed or its time is over."""
    seconds = opening.seconds if opening else None
    return to_activity(await service.open_(session, events, entry.session_id, activity_id, seconds))


@router.post("/{activity_id}/close", responses=CHANGES, summary="Close an activity")
async def close_activity(
    activity_id: UUID,
    entry: CurrentHost,
    session: WriteSession,
    events: CurrentEvents,
    changes: CurrentChanges,
) -> Activity:
    """Take no more answers."""
    row = await service.close(session, events, entry.session_id, activity_id)
    session.after_commit(lambda: changes.tell(activity_id))
    return to_activity(row)


@router.post("/{activity_id}/reset", responses=CHANGES, summary="Begin a new round")
async def reset_activity(
    activity_id: UUID,
    entry: CurrentHost,
    session: WriteSession,
    events: CurrentEvents,
    changes: CurrentChanges,
) -> Activity:
    """Make it a draft again, for a new round; the answers of the old round stay."""
    row = await service.reset(session, events, entry.session_id, activity_id)
    session.after_commit(lambda: changes.tell(activity_id))
    return to_activity(row)


def to_activity(row: Row) -> Activity:
    """Return an activity as hosts see it, from its row."""
    return Activity(**{name: row[name] for name in Activity.model_fields})
