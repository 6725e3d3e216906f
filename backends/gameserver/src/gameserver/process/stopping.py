"""How a game is brought to its end: asked, then told, then ended."""

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

    announcement: what players read first; empty for none. ask_seconds: how long the game may take
    after `/stop` to save the world and end. terminate_seconds: the same after SIGTERM, which saves
    the world, too. Then comes SIGKILL, which doesn't.
    """

    announcement: str
    ask_seconds: float
    terminate_seconds: float

    @property
    def longest(self) -> float:
        """Seconds that a stop can take."""
        return self.ask_seconds + self.terminate_seconds + KILL_SECONDS

    async def descend(self, child: Child, console: Console, *, listens: bool) -> str | None:
        """End a process, and return what it took beyond `/stop`, in words; None when nothing.

        `listens` says whether it takes commands; while it starts, it may not. One that shuts down
        already, since somebody in the game wanted it, is given its time to save, too.
        """
        saves = console.facts.current.shuts_down or (listens and self._ask(console))
        if saves and await child.ends_within(self.ask_seconds):
            return None
        why = "doesn't stop" if saves else "takes no commands"
        self._tell(console, f"The game {why}: SIGTERM.")
        child.signal(signal.SIGTERM)
        if await child.ends_within(self.terminate_seconds):
            return "it took SIGTERM to stop it" if listens or saves else None
        self._tell(console, "The game ignores SIGTERM: SIGKILL.")
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

    def _tell(self, console: Console, text: str) -> None:
        console.say(text)
        structlog.get_logger().warning("game_stop", step=text)
