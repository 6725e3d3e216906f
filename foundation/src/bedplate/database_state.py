"""The state of a backend with a database, which opens before what uses it."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import structlog

from bedplate.backend import Backend
from bedplate.database import Database, DatabaseURLError
from bedplate.database.revisions import is_current
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import Limiter
from bedplate.settings import DatabaseSettings, SettingsError
from bedplate.state import State, open_jobs, open_limiter, opened

if TYPE_CHECKING:
    from bedplate.database import Migrations


def migrations_of(backend: Backend) -> "Migrations | None":
    """Return the migrations of a backend, or None when it stores nothing."""
    if backend.metadata is None or backend.migrations is None:
        return None
    from bedplate.database import Migrations  # noqa: PLC0415 - it imports Alembic

    return Migrations(backend.name, backend.metadata, backend.migrations)


async def prepare_database(
    backend: Backend, settings: DatabaseSettings, database: Database
) -> None:
    """Migrate by itself outside of production; in production only log what is missing."""
    if backend.metadata is None or backend.migrations is None:
        return
    if settings.auto_migrate:
        await _migrate(backend, database)
        if backend.prepare is not None and not settings.production:
            await backend.prepare(settings, database)
        return
    log, name = structlog.get_logger("bedplate.database"), backend.name
    try:
        missing = await _missing(backend, database)
    except UnknownRevision as error:
        log.warning("migrations_unknown", backend=name, error=str(error))
        return
    except Exception as error:  # noqa: BLE001 - a start goes on without its database
        log.warning("database_away_at_start", backend=name, error=type(error).__name__)
        return
    if missing:
        log.warning(
            "migrations_missing", backend=name, missing=missing, run=f"bedplate db upgrade {name}"
        )


class UnknownRevision(Exception):
    """The database stands at a migration that isn't here, or there are two newest ones."""


async def _migrate(backend: Backend, database: Database) -> None:
    migrations = None if await _is_current(backend, database) else migrations_of(backend)
    if migrations is not None:
        await migrations.upgrade(database.engine)


async def _missing(backend: Backend, database: Database) -> list[str]:
    """Return the migrations that the database lacks. Raises `UnknownRevision`."""
    migrations = None if await _is_current(backend, database) else migrations_of(backend)
    if migrations is None:
        return []
    from alembic.util.exc import CommandError  # noqa: PLC0415 - imported with the migrations

    try:
        return await migrations.missing(database.engine)
    except CommandError as error:
        raise UnknownRevision(str(error)) from error


async def _is_current(backend: Backend, database: Database) -> bool:
    return backend.migrations is not None and await is_current(
        database.engine, backend.name, backend.migrations
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

    def __init__(self, backend: Backend, database: Database) -> None:
        self._backend = backend
        self._database = database
        self._complete = False

    async def __call__(self) -> bool:
        """Return whether no migration is missing."""
        if not self._complete:
            try:
                self._complete = not await _missing(self._backend, self._database)
            except UnknownRevision:
                self._complete = True
        return self._complete


def migrations_check(
    backend: Backend, settings: DatabaseSettings, database: Database
) -> MigrationsCheck | None:
    """Return the check, or None for a backend that migrates by itself or has no migrations."""
    if backend.metadata is None or backend.migrations is None or settings.auto_migrate:
        return None
    return MigrationsCheck(backend, database)


class DatabaseState(State):
    """The state of a backend that stores: `database` beside what every backend has."""

    backend: Backend
    settings: DatabaseSettings
    database: Database = opened(open_database)
    limiter: Limiter = opened(open_limiter)
    jobs: Jobs = opened(open_jobs)
