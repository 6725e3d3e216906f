"""The state of a backend with a database, which opens before what uses it."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bedplate.database.preparation import prepare_database
from bedplate.database.sessions import Database
from bedplate.database.urls import DatabaseURLError
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import Limiter
from bedplate.settings import DatabaseSettings, SettingsError
from bedplate.state import State, open_jobs, open_limiter, opened

if TYPE_CHECKING:
    from bedplate.backend import Backend


@contextlib.asynccontextmanager
async def open_database(
    backend: "Backend", settings: DatabaseSettings, metrics: RequestMetrics
) -> AsyncIterator[Database]:
    """Yield the database: migrated outside of production, else with a log line of what is missing.

    Raises `SettingsError` for an unusable URL.
    """
    try:
        database = Database.open(settings, application_name=backend.name)
    except DatabaseURLError as error:
        raise SettingsError(f"{settings.variables('database_url')}: {error}") from None
    async with database:
        metrics.watch_pool(database.engine.pool)
        await prepare_database(backend, settings, database)
        yield database


class DatabaseState(State):
    """The state of a backend that stores: `database` beside what every backend has."""

    settings: DatabaseSettings
    database: Database = opened(open_database)
    limiter: Limiter = opened(open_limiter)
    jobs: Jobs = opened(open_jobs)
