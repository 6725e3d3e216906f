"""Both stand-ins at once, as a manager in development serves them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gameserver_simulator.stand_ins.mod_database import ModDatabase
from gameserver_simulator.stand_ins.serving import serving_near
from gameserver_simulator.stand_ins.version_feed import VersionFeed


@dataclass(frozen=True)
class StandInURLs:
    """Base URLs of the stand-ins that run; None for the one that doesn't."""

    mod_database: str | None = None
    version_feed: str | None = None


@contextmanager
def stand_ins(mod_database: int | None, version_feed: int | None) -> Iterator[StandInURLs]:
    """Serve the stand-ins on these ports, or on free ones when they are taken. Blocks.

    Port 0 is any free port; None leaves the stand-in out.
    """
    with ExitStack() as stack:
        mods = versions = None
        if mod_database is not None:
            mods = stack.enter_context(serving_near(ModDatabase().app, mod_database))
        if version_feed is not None:
            versions = stack.enter_context(serving_near(VersionFeed().app, version_feed))
        yield StandInURLs(mods, versions)
