from bedplate.clients.client import ServiceClient
from bedplate.database import Database, ReadSession, Row, WriteSession
from fountain.common import service as numbering
from fountain.common.contracts import members
from fountain.session_context import repository
from fountain.session_context.exceptions import SessionNotFound
from fountain.session_context.repository import SESSIONS
from fountain.session_context.schemas import SessionRequest, SessionUpdateRequest


async def create(database: Database, sequence: ServiceClient, new: SessionRequest) -> Row:
    """Open a session and return it. Raises `UpstreamUnavailable`: then nothing is stored."""
    fields = {"context": None, **members(new)}
    identifier, _ = await numbering.create(SESSIONS, database, sequence, **fields)
    return {"id": identifier, **fields}


async def get(session: ReadSession, identifier: int) -> Row:
    """Return a session. Raises `SessionNotFound`."""
    row = await repository.get(session, identifier)
    if row is None:
        raise SessionNotFound
    return row


async def change(session: WriteSession, identifier: int, update: SessionUpdateRequest) -> Row:
    """Replace the context if there is a new one; return the session. Raises `SessionNotFound`."""
    row = await repository.change(session, identifier, members(update))
    if row is None:
        raise SessionNotFound
    return row
