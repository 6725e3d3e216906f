import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from bedplate.clients import service_client
from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.state import from_state
from fountain.common.repository import NumberedTable
from fountain.common.service import delete_unfinished

CLEANUP_SECONDS = 60.0
"""Pause between two runs of the job."""

open_sequence = service_client(
    "central-sequence", url="sequence_url", timeout="sequence_timeout_seconds"
)
CurrentDatabase = Annotated[Database, from_state(Database)]
CurrentSequence = Annotated[ServiceClient, from_state(ServiceClient)]


def cleanup_of(
    *tables: NumberedTable,
) -> Callable[..., AbstractAsyncContextManager[asyncio.Task[Any]]]:
    """Return the opener of the job that runs `delete_unfinished` on these tables."""

    @contextlib.asynccontextmanager
    async def open_cleanup(database: Database, jobs: Jobs) -> AsyncIterator[asyncio.Task[Any]]:
        yield jobs.every(
            CLEANUP_SECONDS, lambda: delete_unfinished(database, *tables), name="delete_unfinished"
        )

    return open_cleanup
