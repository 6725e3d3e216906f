"""Waiting with players online, in real seconds, with a game that runs."""

import asyncio
from typing import Any

import pytest

from bedplate.jobs.exceptions import RunSkipped
from gameserver.process.game import Game
from gameserver.schedules.countdown import Countdown, in_words
from gameserver.schedules.schemas import StopAction
from gameserver.status import GameState


def stopping(**fields: Any) -> StopAction:
    """Return an action that warns two seconds and one second before."""
    return StopAction(**{"kind": "stop", "warn_seconds": [2, 1], "warning": "T-{time}!", **fields})


@pytest.fixture
async def state(open_state: Any) -> dict[str, Any]:
    """Give what the lifespan opened, with a game that runs."""
    opened: dict[str, Any] = await open_state()
    await opened["game"].start(by="test")
    await opened["game"].wait_for(GameState.RUNNING, timeout=20)
    await opened["game"].console.send("/whitelist off", by="test")
    return opened


@pytest.fixture
def game(state: dict[str, Any]) -> Game:
    """Give the game, which runs."""
    game: Game = state["game"]
    return game


@pytest.fixture
def countdown(state: dict[str, Any], game: Game) -> Countdown:
    """Give a countdown."""
    return Countdown(game, state["events"], by="test")


async def join(game: Game, name: str = "Ada") -> None:
    """Let a player join."""
    await game.console.send(f"/simulate join {name}", by="test")
    assert len(game.console.online)


def is_warning(level: str, text: str) -> bool:
    """Return whether the game announced a warning."""
    return level == "Event" and "announced: T-" in text


async def test_warns(game: Game, countdown: Countdown) -> None:
    """Players read each warning at its time, the last one its seconds before the end."""
    await join(game)
    loop = asyncio.get_running_loop()
    async with game.console.lines_matching(is_warning) as watch:
        began = loop.time()
        await countdown(stopping())
        took = loop.time() - began
        texts = [(await watch.next(5)).text for _ in range(2)]
    assert ["T-2 s!" in texts[0], "T-1 s!" in texts[1]] == [True, True]
    assert took >= 1.9


async def test_nobody_to_warn(game: Game, countdown: Countdown) -> None:
    """With nobody online there is nothing to wait for."""
    async with asyncio.timeout(10):
        await countdown(stopping(warn_seconds=[600, 300]))


async def test_game_stops_meanwhile(game: Game, countdown: Countdown) -> None:
    """When the game goes down during the warnings, the countdown ends as skipped."""
    await join(game)
    async with game.console.lines_matching(is_warning) as watch:
        task = asyncio.create_task(countdown(stopping(warn_seconds=[600])))
        await watch.next(10)
    await game.stop(by="test", reason="test")
    async with asyncio.timeout(10):
        with pytest.raises(RunSkipped, match="meanwhile"):
            await task


async def test_waits_until_empty(game: Game, countdown: Countdown) -> None:
    """It waits for players to go; then nobody is left to be warned."""
    await join(game)
    task = asyncio.create_task(countdown(stopping(warn_seconds=[600], wait_until_empty=True)))
    await asyncio.sleep(0)
    await game.console.send("/simulate leave Ada", by="test")
    async with asyncio.timeout(10):
        await task


async def test_waits_no_longer_than_told(game: Game, countdown: Countdown) -> None:
    """Players who stay are warned when the wait is over."""
    await join(game)
    action = stopping(wait_until_empty=True, wait_seconds=1, warn_seconds=[1])
    async with game.console.lines_matching(is_warning) as watch:
        async with asyncio.timeout(20):
            await countdown(action)
        assert "T-1 s!" in (await watch.next(5)).text


async def test_game_crashes_while_waiting(game: Game, countdown: Countdown) -> None:
    """A game that crashes while players are waited for ends the wait as skipped."""
    await join(game)
    task = asyncio.create_task(countdown(stopping(wait_until_empty=True)))
    await asyncio.sleep(0)
    await game.kill(by="test")
    async with asyncio.timeout(10):
        with pytest.raises(RunSkipped):
            await task


async def test_game_that_does_not_run(open_state: Any) -> None:
    """There is nobody to prepare when the game doesn't run."""
    opened = await open_state()
    with pytest.raises(RunSkipped, match="not running"):
        await Countdown(opened["game"], opened["events"], by="test")(stopping())


@pytest.mark.parametrize(("seconds", "words"), [(600, "10 min"), (60, "1 min"), (90, "90 s")])
def test_in_words(seconds: int, words: str) -> None:
    """Full minutes are minutes, anything else is seconds."""
    assert in_words(seconds) == words
