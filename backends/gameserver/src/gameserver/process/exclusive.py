"""Waiting for the world, for work that must not be left half done.

Between a stop and the work that the game was stopped for, a backup may take the world: it waits for
a stopped game, too. Giving up then would leave the game down, or a broken version in place.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from bedplate import clock
from gameserver.process.exceptions import GameBusy, GameNotStopped
from gameserver.process.game import Game

PATIENCE_SECONDS: Final = 900.0
"""How long to wait for other holders: a backup of a large world takes minutes."""

_POLL_SECONDS: Final = 0.05


@contextlib.asynccontextmanager
async def exclusive_world(
    game: Game,
    purpose: str,
    *,
    stop: Callable[[], Awaitable[None]] | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> AsyncIterator[None]:
    """Have exclusive access to the world (`Game.exclusive`) as soon as nobody else has.

    `stop` stops a game that was started meanwhile. Raises `GameBusy` when others hold the world
    for longer than `seconds`, and `GameNotStopped`: without `stop` at once.
    """
    deadline = clock.monotonic() + seconds
    async with contextlib.AsyncExitStack() as stack:
        while True:
            try:
                await stack.enter_async_context(game.exclusive(purpose))
                break
            except GameBusy:
                if clock.monotonic() > deadline:
                    raise
            except GameNotStopped:
                if stop is None or clock.monotonic() > deadline:
                    raise
                await stop()
            await asyncio.sleep(_POLL_SECONDS)
        yield


async def start_when_free(game: Game, *, by: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Start the game as soon as nobody else holds the world. Raises what `Game.start` raises."""
    deadline = clock.monotonic() + seconds
    while True:
        try:
            return await game.start(by=by)
        except GameBusy:
            if clock.monotonic() > deadline:
                raise
        await asyncio.sleep(_POLL_SECONDS)
