import asyncio
from typing import Any

from bedplate.clients.client import ServiceClient
from bedplate.database_state import DatabaseState
from bedplate.state import opened
from fountain.common.wiring import cleanup_of, open_sequence
from fountain.session_context.repository import SESSIONS
from fountain.session_context.settings import SessionContextSettings


class SessionContextState(DatabaseState):
    """The database, the sequence service, and the job that deletes unfinished sessions."""

    settings: SessionContextSettings
    sequence: ServiceClient = opened(open_sequence)
    cleanup: asyncio.Task[Any] = opened(cleanup_of(SESSIONS))
