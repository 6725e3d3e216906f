"""Opens the verifications."""

import contextlib
from collections.abc import AsyncIterator

from audits.log.service import Entries, Notary
from audits.verification.service import Verifications
from bedplate.database import Database
from bedplate.jobs.background import Jobs


@contextlib.asynccontextmanager
async def open_verifications(
    database: Database, notary: Notary, entries: Entries, jobs: Jobs
) -> AsyncIterator[Verifications]:
    """Yield the verifications of this process."""
    yield Verifications(database, notary.keys, entries, jobs)
