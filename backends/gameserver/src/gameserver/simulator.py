"""The simulator's optional import: no other module knows the package `gameserver_simulator`.

The extra `gameserver[simulator]` installs it. Production neither needs nor contains it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, NoReturn

from bedplate.settings import Environment
from gameserver.settings import GameServerSettings

PACKAGE: Final = "gameserver_simulator"
MOD_DATABASE_PORT: Final = 42430
VERSION_FEED_PORT: Final = 42431
INSTALL_HINT: Final = (
    "No version of the game is installed. Install one, or install the simulated game with "
    "`pip install 'gameserver[simulator]'`."
)


def is_installed() -> bool:
    """Return whether the simulator can be imported."""
    return find_spec(PACKAGE) is not None


def command() -> tuple[str, ...] | None:
    """Return the command that runs the simulated game; None when it isn't installed."""
    return (sys.executable, "-m", PACKAGE) if is_installed() else None


def run_game(arguments: Sequence[str]) -> NoReturn:
    """Run the simulated game in this process. Raises `ModuleNotFoundError`; never returns."""
    from gameserver_simulator.game.program import main  # noqa: PLC0415 - optional

    main(arguments)


@dataclass(frozen=True)
class StandIns:
    """Base URLs of the stand-ins that run; None means that the URL in the settings applies."""

    mod_database: str | None = None
    version_feed: str | None = None


@contextmanager
def serve_stand_ins(mod_database: int | None, version_feed: int | None) -> Iterator[StandIns]:
    """Serve the stand-ins on these ports, or on free ones when they are taken; None serves none.

    Blocks while they start and stop. Raises `ModuleNotFoundError`.
    """
    from gameserver_simulator.stand_ins.embedded import stand_ins  # noqa: PLC0415 - optional

    with stand_ins(mod_database, version_feed) as urls:
        yield StandIns(urls.mod_database, urls.version_feed)


@asynccontextmanager
async def open_stand_ins(settings: GameServerSettings) -> AsyncIterator[StandIns]:
    """Serve the mod database and the version feed on this machine, in development only.

    A URL that is set, by `VS_MOD_DATABASE_URL` or `VS_VERSION_FEED_URL`, replaces its stand-in.
    Without the simulator there are no stand-ins.
    """
    if settings.environment is not Environment.DEVELOPMENT or not is_installed():
        yield StandIns()
        return
    customized = settings.model_fields_set
    manager = serve_stand_ins(
        None if "mod_database_url" in customized else MOD_DATABASE_PORT,
        None if "version_feed_url" in customized else VERSION_FEED_PORT,
    )
    urls = await asyncio.to_thread(manager.__enter__)
    try:
        yield urls
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)
