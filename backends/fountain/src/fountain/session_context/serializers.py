from pydantic import MISSING

from bedplate.database import Row
from fountain.session_context.schemas import Session, SessionContextResponse, SessionResponse


def to_session(row: Row) -> Session:
    """Return the response for a session that is read."""
    return Session(session_id=row["id"], user_id=row["user_id"], context=_context(row))


def to_response(row: Row) -> SessionResponse:
    """Return the response for a session that was created or changed."""
    return SessionResponse(session_id=row["id"], user_id=row["user_id"], context=_context(row))


def to_context(row: Row) -> SessionContextResponse:
    """Return the response for the context of a session."""
    return SessionContextResponse(session_id=row["id"], context=_context(row))


def _context(row: Row) -> str | MISSING:
    return MISSING if row["context"] is None else row["context"]
