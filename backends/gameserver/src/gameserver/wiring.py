"""Opens what every domain uses: the folders, the events and the file transactions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Annotated

import structlog

from bedplate.documents import FileTransactions
from bedplate.documents.threads import finish_in_thread
from bedplate.settings import Environment
from bedplate.state import from_state
from gameserver.configuration.server_settings import ServerSettings
from gameserver.disk import discard_staging
from gameserver.events import Events
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.locations import fit_settings
from gameserver.process.lifecycle import BeforeStart
from gameserver.process.ownership import owning
from gameserver.settings import GameServerSettings
from gameserver.status import StatusBoard
from gameserver.versions.service import remember_world

CurrentLayout = Annotated[Layout, from_state(Layout)]


@contextlib.asynccontextmanager
async def open_layout(settings: GameServerSettings) -> AsyncIterator[Layout]:
    """Yield the folders, which no other manager owns. Raises `StartupError`."""
    layout = Layout(settings.data_directory.absolute())
    await asyncio.to_thread(layout.create)
    with owning(layout):
        yield layout


@contextlib.asynccontextmanager
async def open_events() -> AsyncIterator[Events]:
    """Yield the events of the game and of this manager."""
    yield Events()


@contextlib.asynccontextmanager
async def open_status(settings: GameServerSettings, events: Events) -> AsyncIterator[StatusBoard]:
    """Yield the status of the game. In tests a transition that isn't in the table raises."""
    yield StatusBoard(events, strict=settings.environment is Environment.TEST)


@contextlib.asynccontextmanager
async def open_file_transactions(layout: Layout) -> AsyncIterator[FileTransactions]:
    """Finish or undo the file transactions that an earlier manager left; yield new ones.

    Half-made restores, mod changes and version switches are recovered here.
    """
    transactions = FileTransactions(layout.journal)
    for sentence in await transactions.recover():
        structlog.get_logger().warning("file_transaction_recovered", outcome=sentence)
    await asyncio.to_thread(discard_staging, layout.staging)
    yield transactions


@contextlib.asynccontextmanager
async def open_before_start(
    layout: Layout, installed: InstalledVersions, server_settings: ServerSettings
) -> AsyncIterator[Sequence[BeforeStart]]:
    """Yield what happens before each start.

    Settings are written and made to fit this data directory, and the world is remembered.
    """

    async def fit() -> None:
        async with server_settings.lock:
            await finish_in_thread(partial(fit_settings, layout))

    yield [server_settings.prepare_start, fit, partial(remember_world, layout, installed)]
