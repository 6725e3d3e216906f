"""How a process is stopped, with a shell in place of the game."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gameserver.audit.service import Audit
from gameserver.console.facts import Facts
from gameserver.console.service import Console
from gameserver.events import Events
from gameserver.process.child import Child
from gameserver.process.stopping import StopLadder

Spawn = Callable[[str], Awaitable[Child]]
SHUTS_DOWN = b"5.9.2026 22:08:03 [Server Notification] Entering runphase Shutdown\n"


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """Give a console that nobody reads."""
    return Console(Facts(Events()), Audit(tmp_path))


@pytest.fixture
def spawn(tmp_path: Path, console: Console) -> Spawn:
    """Give what starts a shell with these words, and reads what it prints."""

    async def spawn(words: str) -> Child:
        return await Child.spawn(
            ["/bin/sh", "-c", words],
            folder=tmp_path,
            environment={"PATH": "/usr/bin:/bin"},
            inherited=[],
            on_output=console.feed,
            on_error_output=console.feed_error,
        )

    return spawn


async def test_a_game_that_shuts_down_by_itself_has_its_time(
    spawn: Spawn, console: Console
) -> None:
    """Stopped from within, it saves already: a stop from outside doesn't end it before that."""
    child = await spawn("trap '' TERM; sleep 0.3; exit 7")
    console.feed(SHUTS_DOWN * 2)
    ladder = StopLadder("", ask_seconds=20, terminate_seconds=0.01)
    assert await ladder.descend(child, console, takes_commands=False) is None
    assert await child.wait() == 7


async def test_a_game_that_hangs_while_it_shuts_down(spawn: Spawn, console: Console) -> None:
    """Its time is as long as that of every stop, then SIGTERM comes."""
    child = await spawn("exec sleep 3600")
    console.feed(SHUTS_DOWN * 2)
    ladder = StopLadder("", ask_seconds=0.01, terminate_seconds=20)
    more = await ladder.descend(child, console, takes_commands=False)
    assert more == "it took SIGTERM to stop it"
