from bedplate.contracts import Operations
from bedplate.database.dependencies import Autocommit, ReadSession
from fountain.common.router import json_array
from fountain.common.wiring import CurrentDatabase, CurrentSequence
from fountain.session_context import schemas, service
from fountain.session_context.serializers import to_context, to_response, to_session
from fountain.session_context.wiring import SessionId

operations = Operations()


@operations.handles("createSession")
async def create_session(
    new: schemas.SessionRequest, database: CurrentDatabase, sequence: CurrentSequence
) -> schemas.SessionResponse:
    """Open a session."""
    return to_response(await service.create(database, sequence, new))


@operations.handles("listSessions")
async def list_sessions(session: ReadSession) -> list[schemas.Session]:
    """Return all sessions."""
    return await json_array(service.sessions(session), to_session)


@operations.handles("getSession")
async def get_session(identifier: SessionId, session: ReadSession) -> schemas.Session:
    """Return one session."""
    return to_session(await service.get(session, identifier))


@operations.handles("lookUpSessions")
async def look_up_sessions(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.Session]:
    """Return several sessions."""
    return [to_session(row) for row in await service.look_up(session, request.ids)]


@operations.handles("updateSession")
async def update_session(
    identifier: SessionId, update: schemas.SessionUpdateRequest, session: Autocommit
) -> schemas.SessionResponse:
    """Replace the context of a session."""
    return to_response(await service.change(session, identifier, update))


@operations.handles("getSessionContext")
async def get_session_context(
    identifier: SessionId, session: ReadSession
) -> schemas.SessionContextResponse:
    """Return the context of a session."""
    return to_context(await service.get(session, identifier))
