"""The rules of sessions. Nothing here knows HTTP."""

from collections.abc import Sequence

from pydantic import MISSING

from bedplate.clients.client import ServiceClient
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.schemas import MAX_INT64
from fountain.session_context import repository
from fountain.session_context.exceptions import SessionNotFound
from fountain.session_context.repository import SESSIONS
from fountain.session_context.schemas import SessionRequest, SessionUpdateRequest


async def create(database: Database, sequence: ServiceClient, new: SessionRequest) -> Row:
    """Open a session and return it. Raises `UpstreamUnavailable`: then there is none."""
    context = None if new.context is MISSING else new.context
    identifier, _ = await SESSIONS.store(database, sequence, user_id=new.user_id, context=context)
    return {"id": identifier, "user_id": new.user_id, "context": context}


async def get(session: ReadSession, identifier: int) -> Row:
    """Return a session. Raises `SessionNotFound`."""
    found = await repository.get(session, identifier)
    if found is None:
        raise SessionNotFound
    return found


async def several(session: ReadSession, identifiers: Sequence[int]) -> list[Row]:
    """Return the identified sessions in the order asked for; unknown ones are left out."""
    wanted = [one for one in dict.fromkeys(identifiers) if 0 < one <= MAX_INT64]
    found = {row["id"]: row for row in await repository.several(session, wanted)}
    return [found[identifier] for identifier in wanted if identifier in found]


async def change(session: WriteSession, identifier: int, sent: SessionUpdateRequest) -> Row:
    """Store another context, if one was sent, and return the session. Raises `SessionNotFound`."""
    given = sent.context is not MISSING
    context = None if sent.context is MISSING else sent.context
    changed = await repository.change(session, identifier, context=context, given=given)
    if changed is None:
        raise SessionNotFound
    return changed
