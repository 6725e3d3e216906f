"""Exclusive access to the world, waited for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gameserver.process.exceptions import GameBusy, GameNotStopped, StartRefused
from gameserver.process.game import Game, exclusive_world, start_when_free


@pytest.fixture
async def taken(game: Game) -> AsyncIterator[asyncio.Event]:
    """Give what is to be set for a backup to let go of the world, which it has."""
    taken, release = asyncio.Event(), asyncio.Event()

    async def back_up() -> None:
        async with game.exclusive("a backup"):
            taken.set()
            await release.wait()

    task = asyncio.create_task(back_up())
    await taken.wait()
    yield release
    release.set()
    await task


async def test_the_world_is_waited_for(game: Game, taken: asyncio.Event) -> None:
    """Who comes second has the world as soon as the first lets go of it."""
    asyncio.get_running_loop().call_later(0.1, taken.set)
    async with exclusive_world(game, "a restore"):
        assert taken.is_set()
        assert game.busy_with == "a restore"


async def test_a_start_waits_for_the_world(game: Game, taken: asyncio.Event) -> None:
    """A start that others are in the way of is made afterwards; any other obstacle is raised."""

    async def refuse() -> None:
        assert taken.is_set()
        raise StartRefused("Not today.")

    game.lifecycle.before_start = [refuse]
    asyncio.get_running_loop().call_later(0.1, taken.set)
    with pytest.raises(StartRefused):
        await start_when_free(game, by="test")


@pytest.mark.usefixtures("taken")
async def test_patience_ends(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits forever."""
    monkeypatch.setattr("gameserver.process.game.PATIENCE_SECONDS", 0)
    with pytest.raises(GameBusy):
        await start_when_free(game, by="test")
    with pytest.raises(GameBusy):
        async with exclusive_world(game, "a restore"):
            pass


async def test_a_game_that_runs_is_brought_to_rest(running_game: Game) -> None:
    """Whoever started it meanwhile; without a way to stop it there is no waiting."""
    with pytest.raises(GameNotStopped):
        async with exclusive_world(running_game, "a restore"):
            pass

    async def kill() -> None:
        await running_game.kill(by="test")

    async with exclusive_world(running_game, "a restore", stop=kill):
        assert running_game.status.pid is None
