"""Whether the game is wanted, remembered on a disk that can fail."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bedplate import clock
from gameserver.events import EventKind
from gameserver.process.game import Game, start_until_ready
from gameserver.process.restart_policy import MAX_REFUSALS
from gameserver.status import GameState


async def test_a_record_that_cannot_be_written(
    open_state: Callable[..., Awaitable[dict[str, Any]]],
) -> None:
    """When the disk is full the game still saves and stops, and can be killed."""
    state = await open_state()
    game = state["game"]
    await game.start(by="test")
    await game.wait_for(GameState.RUNNING, timeout=20)
    record = state["layout"].state / "process.json"
    record.unlink()
    record.mkdir()
    await game.stop(by="test", reason="Test.")
    assert (game.status.state, game.status.exit_code) == (GameState.STOPPED, 0)
    await game.kill(by="test")


async def test_a_refused_start_names_a_document_without_its_path(
    open_game: Callable[..., Awaitable[Game]], tmp_path: Path
) -> None:
    """Monitors and webhooks read why a start failed: the folders of the server are not for them."""
    queue = tmp_path / "data/manager/state/settings-queue.json"
    queue.parent.mkdir(parents=True)
    queue.write_text("{")
    game = await open_game(
        autostart="always", crash_first_pause_seconds=60, crash_max_pause_seconds=60
    )
    status = await game.wait_for(GameState.CRASHED, timeout=20)
    for reason in (status.reason, await start_until_ready(game, by="test", seconds=1)):
        assert reason is not None
        assert "settings-queue.json" in reason
        assert str(tmp_path) not in reason


async def test_a_person_s_start_forgets_what_failed(
    open_state: Callable[..., Awaitable[dict[str, Any]]],
) -> None:
    """After the game was given up, a start by hand has all its crashes and refusals before it."""
    state = await open_state(simulate={"crash_first": 5}, crash_limit=3)
    game, policy = state["game"], state["game"].lifecycle.policy
    gave_up = asyncio.Event()
    state["events"].listen(lambda event: gave_up.set() if event.kind is EventKind.GAVE_UP else None)
    await game.start(by="test")
    await asyncio.wait_for(gave_up.wait(), 20)
    for _ in range(MAX_REFUSALS):
        policy.refusals.count(clock.now())
    await game.start(by="test")
    await game.wait_for(GameState.RUNNING, timeout=20)
    assert policy.refusals.count(clock.now()) is not None
