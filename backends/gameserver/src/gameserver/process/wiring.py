import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Final

from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from bedplate.state import from_state
from gameserver.audit.service import Audit
from gameserver.console.service import Console
from gameserver.events import Events
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.process.game import Game
from gameserver.process.launch import Launcher
from gameserver.process.lifecycle import BeforeStart, Lifecycle
from gameserver.process.ownership import Orphan, ProcessLock, process_document
from gameserver.process.restart_policy import (
    MAX_REFUSALS,
    CrashCounter,
    PlannedStart,
    RestartPolicy,
)
from gameserver.process.stopping import KILL_SECONDS, StopLadder
from gameserver.process.world_lock import WorldLock
from gameserver.settings import GameServerSettings
from gameserver.status import StatusBoard

CurrentGame = Annotated[Game, from_state(Game)]

SHUTDOWN_MARGIN_SECONDS: Final = 10.0
"""Time to close what was opened before the game."""


@contextlib.asynccontextmanager
async def open_game(
    settings: GameServerSettings,
    layout: Layout,
    events: Events,
    audit: Audit,
    console: Console,
    installed: InstalledVersions,
    status: StatusBoard,
    drain: Drain,
    before_start: Sequence[BeforeStart],
) -> AsyncIterator[Game]:
    """Yield the game. It is stopped as soon as the manager begins to drain."""
    ladder, world, lock = _stop_ladder(settings), WorldLock(), ProcessLock(layout)
    launcher = Launcher(settings, layout, installed, lock)
    async with Jobs(stop_seconds=KILL_SECONDS) as jobs:
        planned = PlannedStart(world, jobs)
        refusals = CrashCounter(settings, MAX_REFUSALS)
        policy = RestartPolicy(status, console, events, CrashCounter(settings), refusals, planned)
        orphan = Orphan(lock, jobs, ladder.ask_seconds)
        record = process_document(layout)
        lifecycle = Lifecycle(
            status, console, launcher, ladder, policy, orphan, record, jobs, before_start
        )
        game = Game(console, status, launcher, lifecycle, world, audit, jobs)
        await game.open(autostart=settings.autostart)
        closing = asyncio.create_task(_close_at_drain(game, drain))
        try:
            yield game
        finally:
            closing.cancel()
            await asyncio.wait({closing})
            await game.close()


async def _close_at_drain(game: Game, drain: Drain) -> None:
    """Stop the game beside the last requests: one deadline counts for both."""
    await drain.wait()
    await game.close()


def shutdown_seconds(settings: GameServerSettings) -> float:
    """Return how long the manager may take to exit: a complete stop of the game, and a margin."""
    return _stop_ladder(settings).max_seconds + SHUTDOWN_MARGIN_SECONDS


def _stop_ladder(settings: GameServerSettings) -> StopLadder:
    return StopLadder(settings.stop_announcement, settings.stop_seconds, settings.terminate_seconds)
