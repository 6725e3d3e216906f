"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from fastapi import APIRouter, Depends, Request, Response

from bedplate.openapi import errors, headers
from live import security
from live.exceptions import SessionNotFound, WrongToken
from live.sessions.router import CurrentDatabase, CurrentSettings, location_of, to_session
from live.sessions.schemas import Session
from live.sessions.wiring import CurrentOwner
from live.templates import service
from live.templates.schemas import Duplicate

router = APIRouter(prefix="/api/v1/sessions/{session_id}", tags=["sessions"])


@router.post(
    "/duplicate",
    status_code=201,
    dependencies=[Depends(security.new_sessions)],
    responses=errors(SessionNotFound, WrongToken) | headers(201, "Location"),
    summary="Use a session as a template",
)
async def duplicate_session(
    request: Request,
    response: Response,
    entry: CurrentOwner,
    database: CurrentDatabase,
    settings: CurrentSettings,
    new: Duplicate | None = None,
) -> Session:
    """Make a draft of the same host from a session in any state: its settings and activities.

    Only the host may, whose token opens the draft: a co-host's is for one session.
    """
    row = await service.duplicate(database, entry.session, new.title if new else None)
    response.headers["Location"] = location_of(request, row)
    return to_session(row, settings)
