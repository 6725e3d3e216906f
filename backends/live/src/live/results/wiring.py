"""Opens what shows results."""

import contextlib
from collections.abc import AsyncIterator

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.realtime import Channels
from live.events.changes import ResultChanges
from live.events.service import Events
from live.results.latest import LatestResults


@contextlib.asynccontextmanager
async def open_latest_results(
    database: Database, events: Events, channels: Channels, jobs: Jobs, changes: ResultChanges
) -> AsyncIterator[LatestResults]:
    """Yield what shows the latest results."""
    latest = LatestResults(database, events, channels, jobs)
    changes.listen(latest.changed)
    yield latest
