from typing import Annotated, Any

from fastapi import Path
from pydantic import MISSING

from bedplate.contracts import Operations, ParameterInteger64
from bedplate.database import Row
from bedplate.database.dependencies import Autocommit, ReadSession
from fountain.common.router import json_array, known_rows
from fountain.common.wiring import CurrentDatabase, CurrentSequence
from fountain.session_context import repository, schemas, service

operations = Operations()
SessionId = Annotated[ParameterInteger64, Path(alias="sessionId")]


def to_session(row: Row) -> schemas.Session:
    """Return the response for a session that is read."""
    return schemas.Session(**_session(row))


def _session(row: Row) -> dict[str, Any]:
    members = {"sessionId": row["id"], "userId": row["user_id"]}
    return members if row["context"] is None else {**members, "context": row["context"]}


def to_response(row: Row) -> schemas.SessionResponse:
    """Return the response for a session that was created or changed."""
    return schemas.SessionResponse(
        session_id=row["id"], user_id=row["user_id"], context=_context(row)
    )


def to_context(row: Row) -> schemas.SessionContextResponse:
    """Return the response for the context of a session."""
    return schemas.SessionContextResponse(session_id=row["id"], context=_context(row))


def _context(row: Row) -> str | MISSING:
    return MISSING if row["context"] is None else row["context"]


@operations.handles("createSession")
async def create_session(
    new: schemas.SessionRequest, database: CurrentDatabase, sequence: CurrentSequence
) -> schemas.SessionResponse:
    """Open a session."""
    return to_response(await service.create(database, sequence, new))


@operations.handles("listSessions")
async def list_sessions(session: ReadSession) -> list[schemas.Session]:
    """Return all sessions."""
    return await json_array(repository.sessions(session), to_session)


@operations.handles("getSession")
async def get_session(identifier: SessionId, session: ReadSession) -> schemas.Session:
    """Return one session."""
    return to_session(await service.get(session, identifier))


@operations.handles("lookUpSessions")
async def look_up_sessions(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.Session]:
    """Return several sessions."""
    rows = await repository.look_up(session, request.ids)
    response: list[schemas.Session] = await known_rows(rows, _session)
    return response


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
