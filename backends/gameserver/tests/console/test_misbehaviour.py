"""What a game that misbehaves says does no harm to what is known of it."""

import asyncio
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


@pytest.mark.parametrize("language", ["de", "fr", "ru"])
async def test_other_languages(open_game: OpenGame, language: str) -> None:
    """States are read in every language of the server."""
    game = await open_game(simulate={"language": language})
    await run(game)
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


async def shown_until(game: Game, part: str) -> list[str]:
    """Return what is shown once a line with this part is."""
    async with asyncio.timeout(SOON):
        async with game.console.lines.follow(0) as follower:
            async for batch in follower:
                texts = [entry.item.text for entry in batch.items]
                if any(part in text for text in texts):
                    return texts
    raise AssertionError
