"""The session service: working sessions and their contexts. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend
from bedplate.contracts import message_policy
from fountain.common.contracts import bind_contract
from fountain.session_context.models import Base
from fountain.session_context.router import operations
from fountain.session_context.settings import SessionContextSettings
from fountain.session_context.state import SessionContextState

_HERE = Path(__file__).parent

backend = Backend(
    name="session-context",
    title="Session and Context Management",
    summary="Keeps a record of each working session of a user, and its context.",
    settings=SessionContextSettings,
    metadata=Base.metadata,
    migrations=_HERE / "migrations" / "versions",
    problems=message_policy(),
    state=SessionContextState,
    contract=bind_contract("session_context_management_api", operations, _HERE / "schemas.py"),
)
