import asyncio
from typing import Any

from bedplate.clients.client import ServiceClient
from bedplate.database_state import DatabaseState
from bedplate.state import opened
from fountain.common.wiring import cleanup_of, open_sequence
from fountain.scripts.repository import HEADINGS, SCRIPTS
from fountain.scripts.settings import ScriptsSettings
from fountain.scripts.wiring import open_recheck


class ScriptsState(DatabaseState):
    """The database, the sequence service, and two jobs."""

    settings: ScriptsSettings
    sequence: ServiceClient = opened(open_sequence)
    cleanup: asyncio.Task[Any] = opened(cleanup_of(HEADINGS, SCRIPTS))
    recheck: asyncio.Task[Any] = opened(open_recheck)
