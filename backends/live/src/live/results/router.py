"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from bedplate.conditional import IfNoneMatch
from bedplate.database import Database
from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.openapi import errors, headers
from bedplate.schemas import QueryInt
from bedplate.state import from_state
from live.activities import service as activities
from live.activities.exceptions import ActivityNotFound
from live.activities.router import CHANGES, to_activity
from live.activities.schemas import Activity
from live.activity_type import MAX_KEY_LENGTH
from live.events.wiring import CurrentChanges, CurrentEvents
from live.exceptions import SessionNotFound, WrongToken
from live.results import export, leaderboard, service
from live.results.exceptions import ItemNotFound, ResultsWithheld, RoundNotFound
from live.results.schemas import (
    Leaderboard,
    ModeratedItem,
    ModeratedItems,
    ModerationPatch,
    Result,
    Standing,
)
from live.results.wiring import CurrentReading, CurrentResults
from live.sessions.wiring import CurrentEntry, CurrentHost, CurrentModerator

router = APIRouter(prefix="/api/v1", tags=["results"])
REFUSALS = errors(SessionNotFound, WrongToken)
OF_ACTIVITY = REFUSALS | errors(ActivityNotFound)
ItemKey = Annotated[str, StringConstraints(max_length=MAX_KEY_LENGTH), Path()]
CurrentDatabase = Annotated[Database, from_state(Database)]


@router.get(
    "/activities/{activity_id}/results",
    response_model=Result,
    responses={
        **headers(200, "ETag"),
        **headers(304, "ETag"),
        **errors(SessionNotFound, ActivityNotFound, RoundNotFound, WrongToken, ResultsWithheld),
    },
    summary="Get the results",
)
async def get_results(
    found: CurrentReading, session: ReadSession, condition: IfNoneMatch, results: CurrentResults
) -> Response:
    """Return the result of a round, made from its counters, as the caller may see it."""
    reading, entry = found.reading, found.entry
    await service.require_visible(session, reading.activity, entry.audience, entry.participant_id)
    etag = {"ETag": reading.etag(entry.audience)}
    if condition.not_modified(etag["ETag"]):
        return Response(status_code=304, headers=etag)
    shown = await results.of(reading, entry.audience)
    if entry.participant_id is not None and reading.activity["state"] == "revealed":
        own = await service.own_score(session, reading.activity, entry.participant_id)
        shown = {**shown, "own": own}
    return Response(orjson.dumps(shown), headers=etag, media_type="application/json")


@router.post(
    "/sessions/{session_id}/activities/{activity_id}/reveal",
    responses=CHANGES,
    summary="Reveal an activity",
)
async def reveal_activity(
    activity_id: UUID,
    entry: CurrentHost,
    session: WriteSession,
    events: CurrentEvents,
    changes: CurrentChanges,
) -> Activity:
    """Show correct answers and the held-back results; points count from now on."""
    row = await service.reveal(session, events, entry.session_id, activity_id)
    session.after_commit(lambda: changes.tell(activity_id))
    return to_activity(row)


@router.get(
    "/sessions/{session_id}/leaderboard",
    responses=REFUSALS,
    summary="Who leads?",
)
async def get_leaderboard(
    entry: CurrentEntry,
    session: ReadSession,
    limit: Annotated[Annotated[int, QueryInt(1, 10_000)], Query()] = 10,
) -> Leaderboard:
    """Return the best by points, then by time, and one's own place."""
    number, places = await leaderboard.standings(
        session, entry.session_id, limit=limit, own=entry.participant_id
    )
    lines = [to_standing(place, entry.participant_id) for place in places]
    return Leaderboard(
        version=entry.session["version"],
        participants=number,
        items=lines[:limit],
        own=next((line for line in lines if line.own), None),
    )


def to_standing(place: leaderboard.Place, participant_id: UUID | None) -> Standing:
    """Return a line of the leaderboard: without anybody's id."""
    shown = {name: place[name] for name in Standing.model_fields if name != "own"}
    return Standing(**shown, own=place["id"] == participant_id)


@router.get(
    "/sessions/{session_id}/export",
    response_class=StreamingResponse,
    responses=REFUSALS,
    summary="Export the answers",
)
async def export_session(
    entry: CurrentHost,
    database: CurrentDatabase,
    format: Annotated[export.Format, Query()] = "json",  # noqa: A002 - the parameter's name
    by: Annotated[Literal["activity", "participant"], Query()] = "activity",
) -> StreamingResponse:
    """Stream a row for each answer, or for each participant."""
    rows = export.encoded(database.read(), entry.session_id, format, by)
    return StreamingResponse(rows, media_type=export.MEDIA_TYPES[format])


@router.get(
    "/sessions/{session_id}/activities/{activity_id}/moderation",
    responses=OF_ACTIVITY,
    summary="List the participants' words",
)
async def list_items(
    activity_id: UUID, entry: CurrentModerator, session: ReadSession
) -> ModeratedItems:
    """Return the words of the current round, those that wait and are hidden included."""
    activity = await activities.get(session, entry.session_id, activity_id)
    counts = await service.counted(session, activity)
    return ModeratedItems(items=[ModeratedItem.model_validate(item) for item in counts.items()])


@router.patch(
    "/sessions/{session_id}/activities/{activity_id}/moderation/{key}",
    responses=OF_ACTIVITY | errors(ItemNotFound),
    summary="Show, hide, pin or answer",
)
async def moderate(
    activity_id: UUID,
    key: ItemKey,
    patch: ModerationPatch,
    entry: CurrentModerator,
    session: WriteSession,
    changes: CurrentChanges,
) -> ModeratedItem:
    """Decide about participants' words: only the fields that are sent change."""
    activity = await activities.get(session, entry.session_id, activity_id)
    decided = patch.model_dump(exclude_none=True)
    item = await service.moderate(session, activity, key, decided)
    session.after_commit(lambda: changes.tell(activity_id))
    return ModeratedItem.model_validate(item)
