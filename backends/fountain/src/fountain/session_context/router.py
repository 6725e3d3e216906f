"""The operations of the contract. No SQL, no rules."""

from pydantic import MISSING

from bedplate.contracts import Operations
from bedplate.database import Row
from bedplate.database.dependencies import ReadSession, WriteSession
from fountain.listing import listed
from fountain.session_context import repository, service
from fountain.session_context.dependencies import CurrentDatabase, CurrentSequence, SessionId
from fountain.session_context.schemas import (
    LookupRequest,
    Session,
    SessionContextResponse,
    SessionRequest,
    SessionResponse,
    SessionUpdateRequest,
)

operations = Operations()


def _session(row: Row) -> Session:
    context = MISSING if row["context"] is None else row["context"]
    return Session(session_id=row["id"], user_id=row["user_id"], context=context)


def _response(row: Row) -> SessionResponse:
    context = MISSING if row["context"] is None else row["context"]
    return SessionResponse(session_id=row["id"], user_id=row["user_id"], context=context)


@operations.handles("createSession")
async def create_session(
    new: SessionRequest, database: CurrentDatabase, sequence: CurrentSequence
) -> SessionResponse:
    """Open a session."""
    return _response(await service.create(database, sequence, new))


@operations.handles("listSessions")
async def list_sessions(session: ReadSession) -> list[Session]:
    """Return every session."""
    return await listed(repository.every(session), _session)


@operations.handles("getSession")
async def get_session(identifier: SessionId, session: ReadSession) -> Session:
    """Return one session."""
    return _session(await service.get(session, identifier))


@operations.handles("lookUpSessions")
async def look_up_sessions(wanted: LookupRequest, session: ReadSession) -> list[Session]:
    """Return several sessions."""
    return [_session(row) for row in await service.several(session, wanted.ids)]


@operations.handles("updateSession")
async def update_session(
    identifier: SessionId, sent: SessionUpdateRequest, session: WriteSession
) -> SessionResponse:
    """Store another context."""
    return _response(await service.change(session, identifier, sent))


@operations.handles("getSessionContext")
async def get_session_context(
    identifier: SessionId, session: ReadSession
) -> SessionContextResponse:
    """Return the context of a session."""
    row = await service.get(session, identifier)
    context = MISSING if row["context"] is None else row["context"]
    return SessionContextResponse(session_id=row["id"], context=context)
