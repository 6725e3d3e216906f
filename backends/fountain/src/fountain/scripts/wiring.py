import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Path, Query

from bedplate.clients.client import ServiceClient
from bedplate.contracts import ParameterInteger64
from bedplate.database import Database
from bedplate.jobs.background import Jobs
from fountain.scripts import heading_order

RECHECK_SECONDS = 15.0
"""Pause between two runs of the job."""

ScriptId = Annotated[ParameterInteger64, Path(alias="scriptId")]
HeadingId = Annotated[ParameterInteger64, Path(alias="headingId")]
ElementId = Annotated[ParameterInteger64, Path(alias="elementId")]
HeadingIdInQuery = Annotated[ParameterInteger64, Query(alias="headingId")]
First = Annotated[ParameterInteger64 | None, Query(alias="from")]
Last = Annotated[ParameterInteger64 | None, Query(alias="to")]


@contextlib.asynccontextmanager
async def open_recheck(
    database: Database, sequence: ServiceClient, jobs: Jobs
) -> AsyncIterator[asyncio.Task[Any]]:
    """Run the job that reads the numbers of headings again where that is due."""
    yield jobs.every(
        RECHECK_SECONDS, lambda: heading_order.recheck(database, sequence), name="recheck_numbers"
    )
