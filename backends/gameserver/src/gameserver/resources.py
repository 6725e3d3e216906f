"""What several domains use, opened in the lifespan in the order that backend.py declares."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import structlog

from bedplate.backend import Resources
from bedplate.documents import FileTransactions
from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from gameserver.audit.service import Audit
from gameserver.console.facts import Facts
from gameserver.console.service import Console
from gameserver.console.tickets import RECHECK_SECONDS, Connections
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.operations import service
from gameserver.operations.service import Operations
from gameserver.process.crashes import CrashCounter
from gameserver.process.game import Game
from gameserver.process.launch import Launcher
from gameserver.process.ownership import owning
from gameserver.process.program import Programs
from gameserver.process.record import process_document
from gameserver.process.stopping import StopLadder
from gameserver.settings import GameServerSettings
from gameserver.versions.installation import Installed, installed_document
from gameserver.versions.recovery import recover_switch, remember_world

SHUTDOWN_MARGIN: Final = 10.0
"""Seconds for what is closed after the game."""


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
    """Yield the game; it is stopped as soon as the manager begins to go away."""
    game = make_game(settings, resources)
    game.before_start.append(resources["server_settings"].prepare_start)
    game.before_start.append(partial(remember_world, resources["layout"], resources["installed"]))
    await game.open(autostart=settings.autostart)
    leaving = asyncio.create_task(_close_at_drain(game, resources["drain"]))
    try:
        yield game
    finally:
        leaving.cancel()
        await asyncio.wait({leaving})
        await game.close()


def stop_ladder(settings: GameServerSettings) -> StopLadder:
    """Return how the game is stopped."""
    return StopLadder(settings.stop_announcement, settings.stop_seconds, settings.terminate_seconds)


def shutdown_seconds(settings: GameServerSettings) -> float:
    """Return how long the manager may take to go away: a whole stop of the game, and a margin."""
    return stop_ladder(settings).longest + SHUTDOWN_MARGIN


def make_game(settings: GameServerSettings, resources: Resources) -> Game:
    """Return the game, made of its parts; nothing is started."""
    layout: Layout = resources["layout"]
    events: Events = resources["events"]
    audit: Audit = resources["audit"]
    programs = Programs(settings, layout, resources["installed"])
    return Game(
        Console(Facts(events), audit, flood_lines_per_second=settings.flood_lines_per_second),
        Launcher(settings, layout, programs),
        stop_ladder(settings),
        CrashCounter(
            most=settings.crash_limit,
            first=settings.crash_first_pause_seconds,
            longest=settings.crash_max_pause_seconds,
        ),
        process_document(layout),
        events,
        audit,
    )


@contextlib.asynccontextmanager
async def open_console_connections(
    _: GameServerSettings, resources: Resources
) -> AsyncIterator[Connections]:
    """Yield who follows the console; keys are checked again every minute."""
    connections = Connections(resources["verifier"])
    jobs: Jobs = resources["jobs"]
    jobs.every(RECHECK_SECONDS, connections.recheck, name="console_keys")
    yield connections


async def _close_at_drain(game: Game, drain: Drain) -> None:
    """Begin the stop beside the last requests: the deadline counts for both together."""
    await drain.wait()
    await game.close()
