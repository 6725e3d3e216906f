"""Waiting for one's turn with the world, for work that must not be left half done.

Between a stop and what the game was stopped for a backup may take the world: it waits for a game
at rest, too. Who then gave up would leave the game down, or a version that doesn't work in place.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from bedplate import clock
from gameserver.process.exceptions import GameBusy, GameNotStopped
from gameserver.process.game import Game

PATIENCE_SECONDS: Final = 900.0
"""How long others may have the world: a backup of a large one takes minutes."""

_PAUSE_SECONDS: Final = 0.05


@contextlib.asynccontextmanager
async def exclusive_world(
    game: Game,
    purpose: str,
    *,
    rest: Callable[[], Awaitable[None]] | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> AsyncIterator[None]:
    """Have the world to yourself (`Game.exclusive`) as soon as nobody else has it.

    `rest` brings a game to rest that was started meanwhile. Raises `GameBusy` when others have the
    world for longer than `seconds`, and `GameNotStopped`, without `rest` at once.
    """
    deadline = clock.monotonic() + seconds
    async with contextlib.AsyncExitStack() as stack:
        while True:
            try:
                await stack.enter_async_context(game.exclusive(purpose))
                break
            except (GameBusy, GameNotStopped) as error:
                started = isinstance(error, GameNotStopped)
                if clock.monotonic() > deadline or (started and rest is None):
                    raise
            if started and rest is not None:
                await rest()
            await asyncio.sleep(_PAUSE_SECONDS)
        yield


async def start_when_free(game: Game, *, by: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Start the game as soon as nobody else has the world. Raises what `Game.start` raises."""
    deadline = clock.monotonic() + seconds
    while True:
        try:
            return await game.start(by=by)
        except GameBusy:
            if clock.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
