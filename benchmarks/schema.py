"""The tables that every contender uses: ours as shipped, and those of the auth server."""

from sqlalchemy.ext.asyncio import create_async_engine

from bedplate.auth.tables import create_stand_in
from bedplate.database.migrations import Migrations
from bedplate.database_state import migrations_of
from tasks.backend import backend


async def create_tables(database_url: str) -> None:
    """Run the migrations of `tasks` in an empty database, and make the auth server's tables."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        await _migrations().upgrade(engine)
        await create_stand_in(engine)
    finally:
        await engine.dispose()


def _migrations() -> Migrations:
    migrations = migrations_of(backend)
    if migrations is None:
        raise RuntimeError("The tasks backend declares no migrations.")
    return migrations
