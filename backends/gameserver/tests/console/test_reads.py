"""The manager types so that each read of the game's console is one whole command."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gameserver.configuration.keys import BY_NAME
from gameserver.configuration.live import apply_live
from gameserver.console import command_input
from gameserver.console.exceptions import ConsoleBusy
from gameserver.process.game import Game
from gameserver.process.schemas import to_response
from gameserver.status import GameState

OpenGame = Callable[..., Awaitable[Game]]

SOON = 20.0
"""Seconds that are more than enough."""


def log_of(tmp_path: Path) -> str:
    """Return what the game has logged."""
    return (tmp_path / "data" / "serverdata" / "Logs" / "server-main.log").read_text()


def pid_of(game: Game) -> int:
    """Return the id of the game's process."""
    assert game.status.pid is not None
    return game.status.pid


async def dead_console(open_game: OpenGame) -> Game:
    """Return a running game that has stopped to read its console."""
    game = await open_game()
    await game.start(by="test")
    await game.wait_for(GameState.RUNNING, timeout=SOON)
    run = game.lifecycle._run
    assert run is not None
    run._child.write(b"no line feed at the end")
    async with asyncio.timeout(SOON):
        while run._child.unread():  # noqa: ASYNC110 - the game tells nobody what it reads
            await asyncio.sleep(0.01)
    return game


async def test_a_stop_is_not_swallowed_by_its_announcement(
    running_game: Game, tmp_path: Path
) -> None:
    """A game that reads late finds the announcement alone, and then `/stop`."""
    pid = pid_of(running_game)
    os.kill(pid, signal.SIGSTOP)
    stop = asyncio.create_task(running_game.stop(by="test", reason="Test."))
    await asyncio.sleep(0.3)
    os.kill(pid, signal.SIGCONT)
    await asyncio.wait_for(stop, SOON)
    assert running_game.status.reason == "Test."
    log = log_of(tmp_path)
    assert "Handling Console Command /announce The server is stopping.\n" in log
    assert "Handling Console Command /stop \n" in log


async def test_commands_for_a_game_that_lags_all_arrive(running_game: Game, tmp_path: Path) -> None:
    """What is sent while the game is frozen is taken afterwards, command by command."""
    pid = pid_of(running_game)
    commands = ["/autosavenow", "/whitelist add Ada", "/kick Bob bye"]
    os.kill(pid, signal.SIGSTOP)
    sends = [running_game.console.send(command, by="test", wait=0.1) for command in commands]
    replies = asyncio.gather(*sends)
    await asyncio.sleep(0.5)
    os.kill(pid, signal.SIGCONT)
    await asyncio.wait_for(replies, SOON)
    async with asyncio.timeout(SOON):
        while commands[-1] not in log_of(tmp_path):  # noqa: ASYNC110 - it is a file
            await asyncio.sleep(0.05)
    for command in commands:
        assert f"Handling Console Command {command}" in log_of(tmp_path)
    assert "autosavenow\n/whitelist" not in log_of(tmp_path)


async def test_a_long_text_leaves_the_console_alive(running_game: Game) -> None:
    """575 Cyrillic letters are more bytes than one read: the setting waits, the console lives."""
    why = await apply_live(running_game.console, BY_NAME["WelcomeMessage"], "ж" * 575, by="test")
    assert why == "The console can't take this value."
    assert (await running_game.console.send("/time", by="test", wait=SOON)).echoed


async def test_a_game_with_a_dead_console_is_terminated_at_once(
    open_game: OpenGame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Once commands were ignored, a stop doesn't wait for `/stop`: SIGTERM saves the world."""
    monkeypatch.setattr(command_input, "READ_SECONDS", 0.1)
    game = await dead_console(open_game)
    await game.console.send("/time", by="test", wait=0.05)
    for _ in range(2):
        with pytest.raises(ConsoleBusy):
            await game.console.send("/time", by="test")
    assert to_response(game).run.ignored_commands == 3
    assert "Restart it." in (to_response(game).hint or "")
    await asyncio.wait_for(game.stop(by="test", reason="Test."), SOON)
    assert game.status.reason == "Test; it took SIGTERM to stop it."
    assert to_response(game).hint is None
    assert game.console.facts.current.saves.count == 1
    assert "Handling Console Command" not in log_of(tmp_path)


async def test_a_stop_notices_a_dead_console_itself(
    open_game: OpenGame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When even the announcement isn't read, `/stop` is not waited for."""
    monkeypatch.setattr(command_input, "READ_SECONDS", 0.1)
    game = await dead_console(open_game)
    await asyncio.wait_for(game.stop(by="test", reason="Test."), SOON)
    assert game.status.reason == "Test; it took SIGTERM to stop it."
    assert game.console.facts.current.saves.count == 1
