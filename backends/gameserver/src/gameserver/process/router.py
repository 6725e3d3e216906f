import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Annotated, Final

from fastapi import APIRouter, Query

from bedplate.openapi import errors
from bedplate.schemas import QueryInt
from gameserver.locations import WorldElsewhere
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
from gameserver.process.schemas import ServerStatus, StopRequest, to_response
from gameserver.process.wiring import CurrentGame
from gameserver.security import AdminAtAnyTime, CurrentAdmin, CurrentMonitor
from gameserver.status import AT_REST, GameState

router = APIRouter(prefix="/server", tags=["server"])

MIN_WAIT_SECONDS: Final = 0.2
"""Seconds that even `wait=0` waits, so that an early refusal becomes the answer."""

Wait = Annotated[int, QueryInt(0, 25), Query(description="Seconds to wait for the outcome")]

_START_ERRORS = errors(
    WorldElsewhere,
    GameAlreadyRunning,
    GameBusy,
    GameNotInstalled,
    StartRefused,
    StartCancelled,
    ManagerShuttingDown,
)


@router.get("", summary="Read the game's status")
async def read_server(_: CurrentMonitor, game: CurrentGame) -> ServerStatus:
    """Return the state, its reason, and what the console has revealed."""
    return to_response(game)


@router.post("/start", status_code=202, responses=_START_ERRORS, summary="Start the game")
async def start_server(admin: CurrentAdmin, game: CurrentGame, wait: Wait = 0) -> ServerStatus:
    """Start the game; with `wait`, respond once it runs or has failed."""
    await game.start(by=admin.id)
    await _within(wait, game.wait_for(GameState.RUNNING, *AT_REST, timeout=wait))
    return to_response(game)


@router.post(
    "/stop", status_code=202, responses=errors(ProcessStillExiting), summary="Stop the game"
)
async def stop_server(
    admin: AdminAtAnyTime, game: CurrentGame, stop: StopRequest | None = None, wait: Wait = 0
) -> ServerStatus:
    """Save the world and stop the game, or cancel a planned restart after a crash."""
    stop = stop or StopRequest()
    await _within(wait, game.stop(by=admin.id, reason=stop.reason))
    return to_response(game)


@router.post("/restart", status_code=202, responses=_START_ERRORS, summary="Restart the game")
async def restart_server(
    admin: CurrentAdmin, game: CurrentGame, stop: StopRequest | None = None, wait: Wait = 0
) -> ServerStatus:
    """Stop the game if it runs, and start it; with `wait`, respond once that is done."""
    stop = stop or StopRequest()
    await _within(wait, _restart(game, admin.id, stop.reason, wait))
    return to_response(game)


@router.post("/kill", responses=errors(ProcessStillExiting), summary="Kill the game")
async def kill_server(admin: AdminAtAnyTime, game: CurrentGame) -> ServerStatus:
    """End the process at once, whatever else is in progress; what was not saved is lost."""
    await game.kill(by=admin.id)
    return to_response(game)


async def _restart(game: Game, by: str, reason: str, wait: float) -> None:
    await game.restart(by=by, reason=reason)
    await game.wait_for(GameState.RUNNING, *AT_REST, timeout=wait)


async def _within(seconds: float, work: Awaitable[object]) -> None:
    """Wait at most this long for work that goes on by itself."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, MIN_WAIT_SECONDS)):
            await work
