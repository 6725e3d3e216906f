"""What several domains use, opened in the lifespan in the order that backend.py declares."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from functools import partial

import structlog

from bedplate.backend import Resources
from bedplate.documents import FileTransactions
from bedplate.jobs.background import Jobs
from gameserver.audit.service import Audit
from gameserver.console.tickets import RECHECK_SECONDS, Connections
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.operations import service
from gameserver.operations.service import Operations
from gameserver.process import wiring
from gameserver.process.game import Game
from gameserver.process.ownership import owning
from gameserver.settings import GameServerSettings
from gameserver.versions.installation import Installed, installed_document
from gameserver.versions.recovery import recover_switch, remember_world


@contextlib.asynccontextmanager
async def open_layout(settings: GameServerSettings, _: Resources) -> AsyncIterator[Layout]:
    """Yield the folders, which no other manager owns. Raises `StartupError`."""
    layout = Layout(settings.data_directory.absolute())
    await asyncio.to_thread(layout.create)
    with owning(layout):
        yield layout


@contextlib.asynccontextmanager
async def open_events(_settings: GameServerSettings, _: Resources) -> AsyncIterator[Events]:
    """Yield what tells of events."""
    yield Events()


@contextlib.asynccontextmanager
async def open_swaps(
    _: GameServerSettings, resources: Resources
) -> AsyncIterator[FileTransactions]:
    """Finish or undo the exchanges that an earlier manager left, then yield what makes new ones."""
    layout: Layout = resources["layout"]
    swaps = FileTransactions(layout.journal)
    for sentence in await swaps.recover():
        structlog.get_logger().warning("exchange_recovered", what=sentence)
    await asyncio.to_thread(_empty, layout)
    yield swaps


def _empty(layout: Layout) -> None:
    shutil.rmtree(layout.staging)
    layout.staging.mkdir()


@contextlib.asynccontextmanager
async def open_installed(_: GameServerSettings, resources: Resources) -> AsyncIterator[Installed]:
    """Yield the installed versions, once a switch between them that was interrupted is undone."""
    layout: Layout = resources["layout"]
    installed = Installed(layout, installed_document(layout))
    await recover_switch(layout, installed)
    yield installed


@contextlib.asynccontextmanager
async def open_audit(_: GameServerSettings, resources: Resources) -> AsyncIterator[Audit]:
    """Yield what writes down who did what."""
    layout: Layout = resources["layout"]
    yield Audit(layout.audit)


@contextlib.asynccontextmanager
async def open_operations(_: GameServerSettings, resources: Resources) -> AsyncIterator[Operations]:
    """Yield the long work; what an earlier manager left of it has failed."""
    async with service.open_operations(resources["layout"]) as opened:
        yield opened


@contextlib.asynccontextmanager
async def open_game(settings: GameServerSettings, resources: Resources) -> AsyncIterator[Game]:
    """Yield the game; before each start its settings are written and its world is remembered."""
    layout, installed = resources["layout"], resources["installed"]
    before_start = [
        resources["server_settings"].prepare_start,
        partial(remember_world, layout, installed),
    ]
    async with wiring.open_game(
        settings,
        layout,
        resources["events"],
        resources["audit"],
        installed,
        resources["drain"],
        before_start,
    ) as game:
        yield game


@contextlib.asynccontextmanager
async def open_console_connections(
    _: GameServerSettings, resources: Resources
) -> AsyncIterator[Connections]:
    """Yield who follows the console; keys are checked again every minute."""
    connections = Connections(resources["verifier"])
    jobs: Jobs = resources["jobs"]
    jobs.every(RECHECK_SECONDS, connections.recheck, name="console_keys")
    yield connections
