"""Lines of the console that wait until the game's own log confirms them."""

import asyncio
from collections import deque
from typing import Final, Protocol

from bedplate import clock
from gameserver.console.lines import ConsoleLine
from gameserver.console.main_log import MainLog

PATIENCE_SECONDS: Final = 60.0
"""How long a line may wait. The game writes its log at the same moment, and some disks are slow."""

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5
_MAX_WAITING: Final = 1_000


class OnProof(Protocol):
    """Takes a line for which the log has decided."""

    def __call__(self, line: ConsoleLine, *, genuine: bool) -> None:
        """Take the line."""
        ...


class Proofs:
    """Looks in the log for lines of the console, as long as some are waiting.

    Where the game writes no log, each line counts as genuine at once: nothing can tell.
    """

    def __init__(self, log: MainLog, on_proof: OnProof) -> None:
        self._log = log
        self._on_proof = on_proof
        self._waiting: deque[tuple[float, ConsoleLine]] = deque(maxlen=_MAX_WAITING)
        self._work: asyncio.Task[None] | None = None
        self._polling = asyncio.Lock()

    def begin(self) -> None:
        """Forget the last run."""
        self._waiting.clear()
        self._log.begin()

    def add(self, line: ConsoleLine) -> None:
        """Wait for the proof of a line."""
        self._waiting.append((clock.monotonic(), line))
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._look(), name="proofs")

    async def finish(self) -> None:
        """Decide about all that wait: the game has ended, and its log is complete."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
        await self._settle(patience=0)

    async def _look(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._settle(patience=PATIENCE_SECONDS)
            if not self._waiting:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _settle(self, *, patience: float) -> None:
        if not self._waiting:
            return
        async with self._polling:
            has_log = await asyncio.to_thread(self._log.poll)
        now, waiting = clock.monotonic(), list(self._waiting)
        self._waiting.clear()
        for since, line in waiting:
            if not has_log or self._log.confirm(line.level or "", line.text):
                self._on_proof(line, genuine=True)
            elif now - since >= patience:
                self._on_proof(line, genuine=False)
            else:
                self._waiting.append((since, line))
