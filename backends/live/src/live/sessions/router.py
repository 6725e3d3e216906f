"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from typing import Annotated, Any, Final
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import StringConstraints

from bedplate.auth.principal import unauthorized
from bedplate.database import Database, Row
from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.openapi import errors, headers
from bedplate.pagination import next_link
from bedplate.schemas import QueryInt
from bedplate.state import from_state
from live import security
from live.events.wiring import CurrentEvents
from live.exceptions import SessionCompleted, SessionNotFound, WrongState, WrongToken
from live.sessions import qr, repository, service
from live.sessions.exceptions import CodeNotFound, LinkNotFound, TooFewPlaces, TooManyLinks
from live.sessions.schemas import (
    JoinInfo,
    LinkCreated,
    LinkList,
    LinkNew,
    Session,
    SessionCreated,
    SessionList,
    SessionNew,
    SessionPatch,
)
from live.sessions.wiring import CurrentCodeAttempts, CurrentHost, Entrance, Entry, token_of
from live.settings import LiveSettings

router = APIRouter(prefix="/api/v1", tags=["sessions"])

CurrentSettings = Annotated[LiveSettings, from_state(LiveSettings)]
CurrentDatabase = Annotated[Database, from_state(Database)]
Cursor = Annotated[str, StringConstraints(pattern=repository.NEWEST_FIRST.pattern)]
PageSize = Annotated[int, QueryInt(1, 100)]
JoinCode = Annotated[str, StringConstraints(max_length=40)]
CurrentPresenter = Annotated[Entry, Depends(Entrance(security.HOSTS | {security.SCREEN}))]
Scale = Annotated[int, QueryInt(1, qr.MAX_SCALE)]
REFUSALS = errors(SessionNotFound, WrongToken)
IMAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The image", "content": {kind: {} for kind in qr.MEDIA_TYPES.values()}}
}


@router.post(
    "/sessions",
    status_code=201,
    dependencies=[Depends(security.new_sessions)],
    responses=errors(WrongToken) | headers(201, "Location"),
    summary="Create a session",
)
async def create_session(
    request: Request,
    response: Response,
    new: SessionNew,
    database: CurrentDatabase,
    settings: CurrentSettings,
) -> SessionCreated:
    """Store a draft. `host_token` is shown here alone; send it to create more of your sessions.

    Without a token you are a new host.
    """
    try:
        made = await service.create(database, new, token_of(request))
    except WrongToken:
        await security.rate_limit.charge_failed_proof(request)
        raise
    response.headers["Location"] = location_of(request, made.session)
    return SessionCreated(**_fields(made.session, settings), host_token=made.host_token)


@router.get("/sessions", responses=headers(200, "Link"), summary="List your sessions")
async def list_sessions(
    request: Request,
    response: Response,
    session: ReadSession,
    limit: Annotated[PageSize, Query()] = 20,
    cursor: Annotated[Cursor | None, Query(description="From the Link header")] = None,
) -> SessionList:
    """Return a page of the sessions of the host whose token is sent, newest first."""
    token = token_of(request)
    host = await repository.host_of(session, security.hash_of(token)) if token else None
    if host is None:
        await security.rate_limit.charge_failed_proof(request)
        raise unauthorized() if token is None else WrongToken
    rows, next_cursor = await repository.page(session, host, limit=limit, cursor=cursor)
    if next_cursor is not None:
        response.headers["Link"] = next_link(request, cursor=next_cursor)
    return SessionList.model_validate({"items": rows})


@router.get("/sessions/{session_id}", responses=REFUSALS, summary="Get a session")
async def get_session(entry: CurrentHost, settings: CurrentSettings) -> Session:
    """Return a session to its hosts."""
    return to_session(entry.session, settings)


@router.patch(
    "/sessions/{session_id}",
    responses=REFUSALS | errors(TooFewPlaces, SessionCompleted),
    summary="Change a session",
)
async def change_session(
    entry: CurrentHost,
    patch: SessionPatch,
    session: WriteSession,
    events: CurrentEvents,
    settings: CurrentSettings,
) -> Session:
    """Change only what is sent."""
    row = await service.change(session, events, entry.session_id, patch)
    return to_session(row, settings)


@router.delete(
    "/sessions/{session_id}", status_code=204, responses=REFUSALS, summary="Delete a session"
)
async def delete_session(entry: CurrentHost, session: WriteSession, events: CurrentEvents) -> None:
    """Delete a session with everything in it, answers included."""
    await service.remove(session, events, entry.session_id)


@router.post(
    "/sessions/{session_id}/start",
    responses=REFUSALS | errors(WrongState, SessionCompleted),
    summary="Start a session",
)
async def start_session(
    entry: CurrentHost, session: WriteSession, events: CurrentEvents, settings: CurrentSettings
) -> Session:
    """Make a draft active: from now on one may join."""
    return to_session(await service.start(session, events, entry.session_id), settings)


@router.post(
    "/sessions/{session_id}/complete",
    responses=REFUSALS | errors(WrongState, SessionCompleted),
    summary="Complete a session",
)
async def complete_session(
    entry: CurrentHost, session: WriteSession, events: CurrentEvents, settings: CurrentSettings
) -> Session:
    """End a session for good: its open activity closes, and nobody joins or answers any more."""
    return to_session(await service.complete(session, events, entry.session_id), settings)


@router.get("/sessions/{session_id}/links", responses=REFUSALS, summary="List the links")
async def list_links(entry: CurrentHost, session: ReadSession) -> LinkList:
    """Return the tokens for co-hosts, moderators and screens that can be revoked."""
    return LinkList.model_validate({"items": await repository.links(session, entry.session_id)})


@router.post(
    "/sessions/{session_id}/links",
    status_code=201,
    responses=REFUSALS | errors(TooManyLinks),
    summary="Add a link",
)
async def add_link(entry: CurrentHost, new: LinkNew, session: WriteSession) -> LinkCreated:
    """Make a token for a co-host, a moderator or a screen; it is shown here alone."""
    return LinkCreated.model_validate(await service.add_link(session, entry.session_id, new))


@router.delete(
    "/sessions/{session_id}/links/{link_id}",
    status_code=204,
    responses=REFUSALS | errors(LinkNotFound),
    summary="Revoke a link",
)
async def revoke_link(
    entry: CurrentHost, link_id: UUID, session: WriteSession, events: CurrentEvents
) -> None:
    """Revoke a token: streams that it opened end at once."""
    await service.revoke_link(session, events, entry.session_id, link_id)


@router.get(
    "/sessions/{session_id}/qr",
    response_class=Response,
    responses=REFUSALS | IMAGE,
    summary="Get the QR code",
)
async def get_qr(
    entry: CurrentPresenter,
    settings: CurrentSettings,
    format: Annotated[qr.ImageFormat, Query()] = "png",  # noqa: A002 - the parameter's name
    scale: Annotated[Scale, Query(description="The size of a module in pixels")] = 10,
) -> Response:
    """Return an image for the hall: it leads to the page for joining, with the session's code."""
    url = settings.join_url.format(code=entry.session["code"])
    body = await anyio.to_thread.run_sync(qr.image, url, format, scale)
    # The code never changes.
    cached = {"Cache-Control": "private, max-age=3600"}
    return Response(body, headers=cached, media_type=qr.MEDIA_TYPES[format])


@router.get(
    "/join/{code}",
    responses=errors(CodeNotFound, SessionCompleted),
    summary="What does a code join?",
)
async def get_join_info(
    request: Request,
    response: Response,
    code: JoinCode,
    session: ReadSession,
    attempts: CurrentCodeAttempts,
) -> JoinInfo:
    """Return what somebody with this code joins. May be cached for two seconds."""
    async with attempts.attempt(request, code, CodeNotFound):
        found = await service.by_code(session, code)
    response.headers["Cache-Control"] = "public, max-age=2"
    return JoinInfo(
        session_id=found["id"],
        title=found["title"],
        description=found["description"],
        state=found["state"],
        nicknames=found["settings"]["nicknames"],
        full=service.full(found),
        joinable=service.joinable(found),
    )


def location_of(request: Request, row: Row) -> str:
    """Return the path of a session."""
    return f"{request.scope.get('root_path', '')}/api/v1/sessions/{row['id']}"


def to_session(row: Row, settings: LiveSettings) -> Session:
    """Return a session from its row."""
    return Session(**_fields(row, settings))


def _fields(row: Row, settings: LiveSettings) -> dict[str, Any]:
    known = {name: row[name] for name in Session.model_fields if name != "join_url"}
    return {**known, "join_url": settings.join_url.format(code=row["code"])}
