"""The stand-ins that a manager in development brings along, so that it works off-line."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from bedplate.backend import Resources
from bedplate.settings import Environment, Settings
from gameserver.stand_ins.mod_database import ModDatabase
from gameserver.stand_ins.serving import serving_near
from gameserver.stand_ins.version_feed import VersionFeed

MOD_DATABASE_PORT = 42430
VERSION_FEED_PORT = 42431


@dataclass(frozen=True)
class StandIns:
    """URLs of the stand-ins that serve; None means that the setting's URL holds."""

    mod_database: str | None = None
    version_feed: str | None = None


@asynccontextmanager
async def open_stand_ins(settings: Settings, _resources: Resources) -> AsyncIterator[StandIns]:
    """Serve, in development alone, what no setting names the real place of.

    `VS_MOD_DATABASE_URL` and `VS_VERSION_FEED_URL`, when set, are left to lead where they lead.
    """
    if settings.environment is not Environment.DEVELOPMENT:
        yield StandIns()
        return
    given = settings.model_fields_set
    manager = stand_ins(
        mod_database="mod_database_url" not in given, version_feed="version_feed_url" not in given
    )
    opened = await asyncio.to_thread(manager.__enter__)
    try:
        yield opened
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


@contextmanager
def stand_ins(
    *,
    mod_database: bool = True,
    version_feed: bool = True,
    mod_database_port: int = MOD_DATABASE_PORT,
    version_feed_port: int = VERSION_FEED_PORT,
) -> Iterator[StandIns]:
    """Serve the stand-ins, on these ports or on free ones when they are taken; blocking."""
    with ExitStack() as stack:
        mods = versions = None
        if mod_database:
            mods = stack.enter_context(serving_near(ModDatabase().app, mod_database_port))
        if version_feed:
            versions = stack.enter_context(serving_near(VersionFeed().app, version_feed_port))
        yield StandIns(mods, versions)
