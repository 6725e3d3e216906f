"""Lines of the console that wait until the game's own log confirms them."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol

from bedplate import clock
from gameserver.console.lines import ConsoleLine
from gameserver.console.main_log import MainLog, Wanted

PATIENCE_SECONDS: Final = 60.0
"""How long a line may wait. The game writes its log at the same moment, and some disks are slow."""

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5
_MAX_WAITING: Final = 1_000


class OnProof(Protocol):
    """Takes a line about which the log has decided."""

    def __call__(self, line: ConsoleLine, *, genuine: bool) -> None:
        """Take the line."""
        ...


class Proofs:
    """Looks in the log for lines of the console, as long as some are waiting.

    Where the game writes no log, each line counts as genuine at once: nothing can tell. Players can
    type more lines than may wait. Those that find no place change nothing: what the log has, and
    no waiting line claims, counts then by itself.
    """

    def __init__(self, log: MainLog, on_proof: OnProof) -> None:
        self._log = log
        self._on_proof = on_proof
        self._waiting: deque[tuple[float, ConsoleLine]] = deque()
        self._overflowed = False
        self._work: asyncio.Task[None] | None = None
        self._polling = asyncio.Lock()

    def begin(self) -> None:
        """Forget the last run."""
        self._waiting.clear()
        self._overflowed = False
        self._log.begin()

    def add(self, line: ConsoleLine) -> None:
        """Wait for the proof of a line."""
        if len(self._waiting) < _MAX_WAITING:
            self._waiting.append((clock.monotonic(), line))
        else:
            self._overflowed = True
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._look(), name="proofs")

    @contextlib.asynccontextmanager
    async def watching(self, wanted: Wanted) -> AsyncIterator[None]:
        """Let lines of a further kind be added during the context; older ones prove nothing."""
        await self._poll()
        with self._log.watching(wanted):
            yield

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
        has_log = await self._poll()
        now, waiting = clock.monotonic(), list(self._waiting)
        self._waiting.clear()
        for since, line in waiting:
            if not has_log or self._log.confirm(line.level or "", line.text):
                self._on_proof(line, genuine=True)
            elif now - since >= patience:
                self._on_proof(line, genuine=False)
            else:
                self._waiting.append((since, line))
        if self._overflowed and has_log:
            self._overflowed = bool(self._waiting)
            for level, text in self._log.take_rest():
                self._on_proof(ConsoleLine(clock.now(), level, text), genuine=True)

    async def _poll(self) -> bool:
        async with self._polling:
            return await asyncio.to_thread(self._log.poll)
