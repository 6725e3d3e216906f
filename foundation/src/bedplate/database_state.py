"""The state of a backend with a database, which opens before what uses it."""

import contextlib
from collections.abc import AsyncIterator

import structlog
from alembic.util.exc import CommandError

from bedplate.backend import Backend
from bedplate.database import Database, DatabaseURLError, Migrations
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import Limiter
from bedplate.settings import DatabaseSettings, SettingsError
from bedplate.state import State, open_jobs, open_limiter, opened


def migrations_of(backend: Backend) -> Migrations | None:
    """Return the migrations of a backend, or None when it stores nothing."""
    if backend.metadata is None or backend.migrations is None:
        return None
    return Migrations(backend.name, backend.metadata, backend.migrations)


async def prepare_database(
    backend: Backend, settings: DatabaseSettings, database: Database
) -> None:
    """Migrate by itself outside of production; in production only log what is missing."""
    migrations = migrations_of(backend)
    if migrations is None:
        return
    if settings.auto_migrate:
        await migrations.upgrade(database.engine)
        if backend.prepare is not None and not settings.production:
            await backend.prepare(settings, database)
        return
    log, name = structlog.get_logger("bedplate.database"), backend.name
    try:
        missing = await migrations.missing(database.engine)
    except CommandError as error:
        log.warning("migrations_unknown", backend=name, error=str(error))
        return
    except Exception as error:  # noqa: BLE001 - a start goes on without its database
        log.warning("database_away_at_start", backend=name, error=type(error).__name__)
        return
    if missing:
        log.warning(
            "migrations_missing", backend=name, missing=missing, run=f"bedplate db upgrade {name}"
        )


@contextlib.asynccontextmanager
async def open_database(
    backend: Backend, settings: DatabaseSettings, metrics: RequestMetrics
) -> AsyncIterator[Database]:
    """Yield the database, prepared for the start. Raises `SettingsError` for an unusable URL."""
    try:
        database = Database.open(settings, application_name=backend.name)
    except DatabaseURLError as error:
        raise SettingsError(f"{settings.variables('database_url')}: {error}") from None
    async with database:
        metrics.watch_pool(database.engine.pool)
        await prepare_database(backend, settings, database)
        yield database


class MigrationsCheck:
    """The readiness check of a backend whose database others migrate: no migration is missing.

    A database that is ahead is ready: during a roll-out the old version serves on. Once all have
    run, none can be missing any more.
    """

    def __init__(self, migrations: Migrations, database: Database) -> None:
        self._migrations = migrations
        self._database = database
        self._complete = False

    async def __call__(self) -> bool:
        """Return whether no migration is missing."""
        if not self._complete:
            try:
                self._complete = not await self._migrations.missing(self._database.engine)
            except CommandError:
                self._complete = True
        return self._complete


def migrations_check(
    backend: Backend, settings: DatabaseSettings, database: Database
) -> MigrationsCheck | None:
    """Return the check, or None for a backend that migrates by itself or has no migrations."""
    migrations = migrations_of(backend)
    if migrations is None or settings.auto_migrate:
        return None
    return MigrationsCheck(migrations, database)


class DatabaseState(State):
    """The state of a backend that stores: `database` beside what every backend has."""

    backend: Backend
    settings: DatabaseSettings
    database: Database = opened(open_database)
    limiter: Limiter = opened(open_limiter)
    jobs: Jobs = opened(open_jobs)
