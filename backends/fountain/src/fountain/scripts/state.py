import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.database_state import DatabaseState
from bedplate.jobs.background import Jobs
from bedplate.state import opened
from fountain.common.wiring import cleanup_of, open_sequence
from fountain.scripts import heading_order
from fountain.scripts.repository import HEADINGS, SCRIPTS
from fountain.scripts.settings import ScriptsSettings

RECHECK_SECONDS = 15.0
"""Pause between two runs of the job."""


@contextlib.asynccontextmanager
async def open_recheck(
    database: Database, sequence: ServiceClient, jobs: Jobs
) -> AsyncIterator[asyncio.Task[Any]]:
    """Run the job that reads the numbers of headings again where that is due."""
    yield jobs.every(
        RECHECK_SECONDS, lambda: heading_order.recheck(database, sequence), name="recheck_numbers"
    )


class ScriptsState(DatabaseState):
    """The database, the sequence service, and two jobs."""

    settings: ScriptsSettings
    sequence: ServiceClient = opened(open_sequence)
    cleanup: asyncio.Task[Any] = opened(cleanup_of(HEADINGS, SCRIPTS))
    recheck: asyncio.Task[Any] = opened(open_recheck)
