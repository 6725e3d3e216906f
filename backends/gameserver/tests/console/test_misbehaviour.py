"""What a game that misbehaves says does no harm to what is known of it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from gameserver.process.game import Game
from gameserver.status import GameState

OpenGame = Callable[..., Awaitable[Game]]

SOON = 20.0
"""Seconds that are more than enough."""


async def run(game: Game) -> None:
    """Start the game, and wait until it runs."""
    await game.start(by="test")
    await game.wait_for(GameState.RUNNING, timeout=SOON)


async def test_a_flood_is_absorbed(open_game: OpenGame) -> None:
    """20,000 lines a second hold neither the game back nor hide that it is ready."""
    game = await open_game(simulate={"flood_seconds": 1.0})
    await run(game)
    reply = await game.console.send("/time", by="test", wait=SOON)
    assert reply.echoed
    assert any("omitted" in text for text in await shown_until(game, "omitted"))


async def test_endless_lines_and_other_encodings(open_game: OpenGame) -> None:
    """Lines of 100 KiB and bytes that are no UTF-8 are shown, cut or replaced."""
    game = await open_game(simulate={"long_line_kib": 100, "invalid_utf8": 1})
    await run(game)
    assert any("cut at 64 KiB" in text for text in await shown_until(game, "cut at 64 KiB"))
    assert any("\ufffd" in text for text in await shown_until(game, "\ufffd"))
    assert (await game.console.send("/time", by="test")).lines


async def until_online(game: Game, number: int) -> None:
    """Wait until so many players are online."""
    async with asyncio.timeout(SOON):
        while len(game.console.online.list()) != number:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("language", ["de", "fr", "ru"])
async def test_other_languages(open_game: OpenGame, language: str) -> None:
    """States are read in every language of the server."""
    game = await open_game(simulate={"language": language})
    await run(game)
    await game.stop(by="test", reason="Test.")
    assert (game.status.state, game.status.exit_code) == (GameState.STOPPED, 0)


async def test_an_old_game_that_numbers_no_identification(open_game: OpenGame) -> None:
    """Before 1.19 a player's number is known from the connection's address alone."""
    game = await open_game(simulate={"version": "1.18.6"})
    await run(game)
    await game.console.send("/simulate join Ada", by="test")
    await until_online(game, 1)
    await game.console.send("/simulate leave Ada", by="test")
    await until_online(game, 0)


async def test_times_with_dots(open_game: OpenGame) -> None:
    """A host whose culture writes 13.01.38 has a game that gets ready, and players who come."""
    game = await open_game(simulate={"time_separator": "."})
    await run(game)
    await game.console.send("/simulate join Ada", by="test")
    await until_online(game, 1)
    await game.stop(by="test", reason="Test.")
    assert (game.status.state, game.status.exit_code) == (GameState.STOPPED, 0)


async def test_imitations_in_chat(open_game: OpenGame) -> None:
    """Players who type what the server prints change nothing that is known of the game."""
    game = await open_game(simulate={"imitations": 1})
    await run(game)
    before = game.status
    await shown_until(game, "joins.")
    assert game.status == before
    assert game.console.facts.current.saves.count == 0


async def test_forgeries_in_chat(open_game: OpenGame) -> None:
    """A message with line feeds looks like the server's own lines, and changes nothing.

    Nobody comes or goes, commands are taken, and a later crash is a crash.
    """
    game = await open_game(simulate={"forgeries": 1}, crash_first_pause_seconds=3600)
    await run(game)
    await game.console.send("/simulate join Ada", by="test")
    for _ in range(2):
        await shown_until(game, "Mallory was here")
    await asyncio.sleep(1.2)
    assert [player.name for player in game.console.online.list()] == ["Ada"]
    assert game.status.state is GameState.RUNNING
    assert (await game.console.send("/time", by="test", wait=SOON)).echoed
    facts = game.console.facts.current
    assert (facts.shuts_down, facts.stop_reason, facts.fatal) == (False, None, None)
    assert (facts.saves.count, facts.saves.saving_since, facts.overloads.count) == (0, None, 0)
    assert (facts.phase, facts.version, facts.api_version) == ("RunGame", "1.21.6", "1.21.6")
    assert game.status.pid is not None
    os.kill(game.status.pid, signal.SIGKILL)
    status = await game.wait_for(GameState.STOPPED, GameState.CRASHED, timeout=SOON)
    assert status.state is GameState.CRASHED
    assert status.reason is not None
    assert status.reason.startswith("The game was ended by SIGKILL.")


async def test_a_stop_from_within_among_forgeries(open_game: OpenGame) -> None:
    """What the game's own log confirms counts, whatever players type beside it."""
    game = await open_game(simulate={"forgeries": 1})
    await run(game)
    await game.console.send("/simulate join Ada", by="test")
    await shown_until(game, "Mallory was here")
    await game.console.send("/simulate leave Ada", by="test")
    await until_online(game, 0)
    await game.console.send("/stop", by="test")
    status = await game.wait_for(GameState.STOPPED, GameState.CRASHED, timeout=SOON)
    assert status.state is GameState.STOPPED
    assert status.reason == "The game was stopped from within: Shutdown via server command."
    assert game.console.facts.current.saves.count == 1


async def shown_until(game: Game, part: str) -> list[str]:
    """Return what is shown once a line with this part is."""
    async with asyncio.timeout(SOON):
        async with game.console.lines.follow(0) as follower:
            async for batch in follower:
                texts = [entry.item.text for entry in batch.items]
                if any(part in text for text in texts):
                    return texts
    raise AssertionError
