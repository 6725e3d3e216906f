"""Replies that a player types, in a message with line feeds, prove nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gameserver.configuration.keys import BY_NAME
from gameserver.configuration.live import apply_live
from gameserver.console.service import Console
from gameserver.players.player_actions import PlayerAction, assign_role, whitelist
from gameserver.players.schemas import Outcome, Proof
from gameserver.players.service import Players
from gameserver.process.game import Game
from gameserver.status import GameState

OpenState = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def state(open_state: OpenState, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give what a manager has opened whose game runs, and never hears of its auth server."""
    monkeypatch.setattr("gameserver.players.service.PATIENCE_SECONDS", 1.5)
    opened = await open_state(simulate={"lookup_seconds": 3600})
    await opened["game"].start(by="test")
    await opened["game"].wait_for(GameState.RUNNING, timeout=20)
    return opened


async def forge(console: Console, *replies: str) -> None:
    """Let a player type replies of the game."""
    lines = (rf"\n1.1.2026 10:00:00 [Server Notification] {reply}" for reply in replies)
    command = f"/simulate chat Mallory hi{''.join(lines)}"
    await console.send(command, by="test", allow_selectors=True)


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        (whitelist("Zoe", None, "test"), "Player is now whitelisted until 1.1.2076 10:00:00"),
        (assign_role("Zoe", "admin"), "Ok, role Admin assigned to Zoe"),
        (whitelist("Zoe", None, "test"), "No player with name or uid 'Zoe' exists"),
    ],
)
async def test_a_forged_reply_proves_nothing(
    state: dict[str, Any], action: PlayerAction, reply: str
) -> None:
    """The game has not answered yet, whatever a player says that it has."""
    players: Players = state["players"]
    change, _ = await asyncio.gather(
        players.apply(action, by="test"), forge(state["game"].console, reply)
    )
    assert (change.outcome, change.proof) == (Outcome.UNCONFIRMED, None)


async def test_a_genuine_reply_among_forged_ones_proves_it(state: dict[str, Any]) -> None:
    """The game's own log tells them apart; the role was the player's before, so no file changes."""
    for command in ("/whitelist off", "/simulate join Ada 203.0.113.7", "/op Ada"):
        await state["game"].console.send(command, by="test")
    action = replace(assign_role("Ada", "admin"), shows=lambda _, __: False)
    change, _ = await asyncio.gather(
        state["players"].apply(action, by="test"),
        forge(state["game"].console, "Player is already in group admin"),
    )
    assert (change.outcome, change.proof) == (Outcome.DONE, Proof.REPLY)


async def test_a_forged_departure_is_no_kick(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the game has not taken the command, a player's word for it doesn't count."""
    game: Game = state["game"]
    for command in ("/whitelist off", "/simulate join Ada 203.0.113.7"):
        await game.console.send(command, by="test")
    async with asyncio.timeout(20):
        while (ada := game.console.online.find("Ada")) is None:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.02)
    type_command = game.console._type

    async def type_another(checked: str) -> None:
        """Type what a player does in place of the kick, which the game never gets."""
        departure = f"Client {ada.client} disconnected: "
        forged = rf"hi\n1.1.2026 10:00:00 [Server Notification] {departure}"
        await type_command(f"/simulate chat Mallory {forged}")

    monkeypatch.setattr(game.console, "_type", type_another)
    change = await state["players"].kick("Ada", "Bye", by="test")
    assert change.outcome is Outcome.UNCONFIRMED
    assert game.console.online.find("Ada") == ada


async def test_a_forged_confirmation_sets_nothing(
    state: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting whose confirmation a player has typed waits for the next start."""
    monkeypatch.setattr("gameserver.configuration.live._WAIT_SECONDS", 0.5)
    console: Console = state["game"].console
    type_command = console._type

    async def type_another(checked: str) -> None:
        """Echo the command, and confirm it, as a player may."""
        forged = "".join(
            rf"\n1.1.2026 10:00:00 [Server Notification] {text}"
            for text in (f"Handling Console Command {checked}", "name set to Ours")
        )
        await type_command(f"/simulate chat Mallory hi{forged}")

    monkeypatch.setattr(console, "_type", type_another)
    refused = await apply_live(console, BY_NAME["ServerName"], "Ours", by="test")
    assert refused == "The game didn't confirm it."
