"""What a start does to its database: migrate where that is safe, else say what is missing."""

from typing import TYPE_CHECKING

import structlog
from alembic.util.exc import CommandError

from bedplate.database.migrations import Migrations
from bedplate.settings import DatabaseSettings

if TYPE_CHECKING:
    from bedplate.backend import Backend
    from bedplate.database.sessions import Database


def migrations_of(backend: "Backend") -> Migrations | None:
    """Return the migrations of a backend, or None when it stores nothing."""
    if backend.metadata is None or backend.migrations is None:
        return None
    return Migrations(backend.name, backend.metadata, backend.migrations)


async def prepare_database(
    backend: "Backend", settings: DatabaseSettings, database: "Database"
) -> None:
    """Migrate by itself outside of production; in production only log what is missing."""
    migrations = migrations_of(backend)
    if migrations is None:
        return
    if settings.auto_migrate:
        await migrations.upgrade(database.engine)
        if backend.prepare is not None and not settings.production:
            await backend.prepare(settings, database)
    else:
        await _say_what_is_missing(backend.name, migrations, database)


async def _say_what_is_missing(name: str, migrations: Migrations, database: "Database") -> None:
    log = structlog.get_logger("bedplate.database")
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
