"""HTTP: paths, status codes, summaries. No rules."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Annotated, Final

from fastapi import APIRouter, Query

from bedplate.openapi import errors
from bedplate.schemas import QueryInt
from gameserver.process.exceptions import (
    GameAlreadyRunning,
    GameBusy,
    GameNotInstalled,
    ManagerShuttingDown,
    ProcessStillExiting,
    StartCancelled,
    StartRefused,
)
from gameserver.process.game import Game
from gameserver.process.schemas import ServerStatus, StopRequest, shown
from gameserver.process.wiring import CurrentGame
from gameserver.security import CurrentAdmin, CurrentMonitor
from gameserver.status import AT_REST, GameState

router = APIRouter(prefix="/server", tags=["server"])

MIN_WAIT_SECONDS: Final = 0.2
"""Seconds that even an answer which waits for nothing takes, so that refusals are seen."""

Wait = Annotated[int, QueryInt(0, 25), Query(description="Seconds to wait for the outcome")]

_START_ERRORS = errors(
    GameAlreadyRunning,
    GameBusy,
    GameNotInstalled,
    StartRefused,
    StartCancelled,
    ManagerShuttingDown,
)


@router.get("", summary="What the game is doing")
async def read_server(_: CurrentMonitor, game: CurrentGame) -> ServerStatus:
    """Return state, reason and what the console has told."""
    return shown(game)


@router.post("/start", status_code=202, responses=_START_ERRORS, summary="Start the game")
async def start_server(admin: CurrentAdmin, game: CurrentGame, wait: Wait = 0) -> ServerStatus:
    """Start the game; with `wait`, answer once it runs or has failed."""
    await game.start(by=admin.id)
    await _within(wait, game.wait_for(GameState.RUNNING, *AT_REST, timeout=wait))
    return shown(game)


@router.post(
    "/stop", status_code=202, responses=errors(ProcessStillExiting), summary="Stop the game"
)
async def stop_server(
    admin: CurrentAdmin, game: CurrentGame, stop: StopRequest | None = None, wait: Wait = 0
) -> ServerStatus:
    """Save the world and stop the game, or call off a restart after a crash."""
    stop = stop or StopRequest()
    await _within(wait, game.stop(by=admin.id, reason=stop.reason))
    return shown(game)


@router.post("/restart", status_code=202, responses=_START_ERRORS, summary="Restart the game")
async def restart_server(
    admin: CurrentAdmin, game: CurrentGame, stop: StopRequest | None = None, wait: Wait = 0
) -> ServerStatus:
    """Stop the game if it runs, and start it; with `wait`, answer once that is done."""
    stop = stop or StopRequest()
    await _within(wait, _restart(game, admin.id, stop.reason, wait))
    return shown(game)


@router.post("/kill", responses=errors(ProcessStillExiting), summary="Kill the game")
async def kill_server(admin: CurrentAdmin, game: CurrentGame) -> ServerStatus:
    """End the process at once, whatever else is under way; what was not saved is lost."""
    await game.kill(by=admin.id)
    return shown(game)


async def _restart(game: Game, by: str, reason: str, wait: float) -> None:
    await game.restart(by=by, reason=reason)
    await game.wait_for(GameState.RUNNING, *AT_REST, timeout=wait)


async def _within(seconds: float, work: Awaitable[object]) -> None:
    """Wait for work that goes on by itself when the time is up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, MIN_WAIT_SECONDS)):
            await work
