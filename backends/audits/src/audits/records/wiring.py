"""Opens the trail, and names what its routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Annotated

from audits.log.chain import Chains
from audits.log.service import Entries
from audits.records.service import Skew, Trail, add_partitions, entries_between
from audits.settings import AuditsSettings
from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state

CurrentTrail = Annotated[Trail, from_state(Trail)]
CurrentDatabase = Annotated[Database, from_state(Database)]

_DAY_SECONDS = 86_400.0
_BATCH_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


@contextlib.asynccontextmanager
async def open_trail(
    settings: AuditsSettings,
    database: Database,
    chains: Chains,
    jobs: Jobs,
    metrics: RequestMetrics,
) -> AsyncIterator[Trail]:
    """Yield the trail; at the end, what waits is stored."""
    batches = metrics.histogram(
        "audits_batch_records", "Records that one transaction stored", buckets=_BATCH_BUCKETS
    )
    skew = Skew(
        timedelta(seconds=settings.max_clock_ahead_seconds), timedelta(days=settings.max_age_days)
    )
    trail = Trail(
        database,
        chains,
        sensitive=settings.sensitive_members,
        skew=skew,
        observe_batch=batches.observe,
    )

    def waiting() -> dict[tuple[str, ...], float]:
        return {(): trail.waiting}

    metrics.register_gauge("audits_waiting_records", "Records that wait to be stored", [], waiting)
    jobs.every(_DAY_SECONDS, partial(add_partitions, database), name="audits_partitions")
    async with trail:
        yield trail


@contextlib.asynccontextmanager
async def open_entries() -> AsyncIterator[Entries]:
    """Yield what reads entries for the log, which itself knows nothing of records."""
    yield entries_between
