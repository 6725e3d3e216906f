"""How a running game is stopped: asked, then terminated, then killed."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from typing import Final

import structlog

from bedplate import clock
from gameserver.console.exceptions import CommandRefused, ConsoleBusy, GameNotRunning
from gameserver.console.service import Console
from gameserver.process.child import Child

KILL_SECONDS: Final = 10.0
"""How long the system may take to end a process after SIGKILL."""


@dataclass(frozen=True)
class StopLadder:
    """The steps of a stop.

    announcement        what players read first; empty for none
    ask_seconds         how long the game may take after `/stop` to save the world and exit
    terminate_seconds   the same after SIGTERM, which saves the world, too

    The last step is SIGKILL, which saves nothing.
    """

    announcement: str
    ask_seconds: float
    terminate_seconds: float

    @property
    def max_seconds(self) -> float:
        """How many seconds a stop can take."""
        return self.ask_seconds + self.terminate_seconds + KILL_SECONDS

    async def descend(self, child: Child, console: Console, *, takes_commands: bool) -> str | None:
        """End a process, and return in words what was needed beyond `/stop`; None for nothing.

        A starting game doesn't take commands yet. One that shuts down already, since somebody in
        the game stopped it, has its time to save, too.
        """
        deadline = clock.monotonic() + self.ask_seconds
        saves = console.facts.current.shuts_down or (takes_commands and await self._ask(console))
        if await child.ends_within(_left(deadline) if saves else 0):
            return None
        why = "doesn't stop" if saves else "takes no commands"
        _report(console, f"The game {why}: SIGTERM.")
        child.signal(signal.SIGTERM)
        # A game with a dead console has not had its time to save yet.
        unused = _left(deadline) if takes_commands else 0
        if await child.ends_within(self.terminate_seconds + unused):
            return "it took SIGTERM to stop it" if takes_commands or saves else None
        _report(console, "The game ignores SIGTERM: SIGKILL.")
        child.signal(signal.SIGKILL)
        await child.ends_within(KILL_SECONDS)
        return "it was killed, since it did not stop; what was not saved is lost"

    async def _ask(self, console: Console) -> bool:
        """Type `/stop`; return False when the game doesn't read its console."""
        if console.facts.current.console_dead:
            return False
        with contextlib.suppress(GameNotRunning, ConsoleBusy, TimeoutError):
            async with asyncio.timeout(self.ask_seconds):
                if self.announcement:
                    with contextlib.suppress(CommandRefused):
                        await console.type(f"/announce {self.announcement}")
                await console.type("/stop")
            return True
        return False


def _left(deadline: float) -> float:
    return max(0.0, deadline - clock.monotonic())


def _report(console: Console, text: str) -> None:
    console.say(text)
    structlog.get_logger().warning("game_stop", step=text)
