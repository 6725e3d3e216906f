"""Whether the game is wanted, remembered on a disk that can fail."""

from collections.abc import Awaitable, Callable
from typing import Any

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
