"""How a running game is stopped: asked, then terminated, then killed."""

import contextlib
import signal
from dataclasses import dataclass
from typing import Final

import structlog

from gameserver.console.exceptions import ConsoleBusy, GameNotRunning
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
        saves = console.facts.current.shuts_down or (takes_commands and self._ask(console))
        if saves and await child.ends_within(self.ask_seconds):
            return None
        why = "doesn't stop" if saves else "takes no commands"
        _report(console, f"The game {why}: SIGTERM.")
        child.signal(signal.SIGTERM)
        if await child.ends_within(self.terminate_seconds):
            return "it took SIGTERM to stop it" if takes_commands or saves else None
        _report(console, "The game ignores SIGTERM: SIGKILL.")
        child.signal(signal.SIGKILL)
        await child.ends_within(KILL_SECONDS)
        return "it was killed, since it did not stop; what was not saved is lost"

    def _ask(self, console: Console) -> bool:
        with contextlib.suppress(GameNotRunning, ConsoleBusy):
            if self.announcement:
                console.type(f"/announce {self.announcement}")
            console.type("/stop")
            return True
        return False


def _report(console: Console, text: str) -> None:
    console.say(text)
    structlog.get_logger().warning("game_stop", step=text)
