"""Opens what reads and shows results, and finds who wants something of an activity's."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from fastapi.requests import HTTPConnection

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.realtime import Channels
from bedplate.schemas import QueryInt
from bedplate.state import from_state
from live.events.changes import ResultChanges
from live.events.service import Events
from live.results.exceptions import RoundNotFound
from live.results.latest import LatestResults
from live.results.service import Reading, Results
from live.sessions.wiring import ByToken, Entry, enter

Round = Annotated[int, QueryInt(1, 2**31 - 1)]
CurrentResults = Annotated[Results, from_state(Results)]


@contextlib.asynccontextmanager
async def open_latest_results(
    database: Database, events: Events, channels: Channels, jobs: Jobs, changes: ResultChanges
) -> AsyncIterator[LatestResults]:
    """Yield what shows the latest results."""
    latest = LatestResults(database, events, channels, jobs)
    changes.listen(latest.changed)
    yield latest


@contextlib.asynccontextmanager
async def open_results(database: Database) -> AsyncIterator[Results]:
    """Yield what reads results."""
    yield Results(database)


@dataclass(frozen=True, slots=True)
class ReadingEntry:
    """A round of an activity, and who wants to see its results."""

    reading: Reading
    entry: Entry


class ReadingEntrance(ByToken):
    """Finds the activity of the path with a round of it, and who the token is in its session."""

    async def __call__(
        self,
        connection: HTTPConnection,
        activity_id: UUID,
        number: Annotated[
            Round | None, Query(alias="round", description="The current one by default")
        ] = None,
    ) -> ReadingEntry:
        """Return both. Raises `ActivityNotFound`, `RoundNotFound`, and as `Entrance`."""
        results: Results = connection.scope["state"]["results"]
        activity, reading = await results.find(activity_id, number)
        entry = await enter(connection, activity["session_id"])
        if reading is None:
            raise RoundNotFound
        return ReadingEntry(reading, entry)


CurrentReading = Annotated[ReadingEntry, Depends(ReadingEntrance())]
"""The activity of the path with a round of it, and anybody in its session."""
