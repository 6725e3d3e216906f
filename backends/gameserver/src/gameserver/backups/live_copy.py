"""The world of a running game, which only the game itself can copy at a consistent point."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate import clock, ids
from bedplate.documents.threads import finish_in_thread
from gameserver.backups.apart import perform
from gameserver.backups.exceptions import BackupIncomplete, BackupNotStarted, DamagedWorld
from gameserver.backups.jobs import CheckWorld
from gameserver.backups.worlds import SUFFIX, looks_whole, size_of
from gameserver.console.exceptions import GameNotRunning
from gameserver.console.line_waiter import LineWaiter
from gameserver.console.lines import ConsoleLine
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.process.game import Game
from gameserver.status import GameState

_PREFIX: Final = "manager-"
_POLL_SECONDS: Final = 0.2
_DONE: Final = "Backup complete"
_SAVED: Final = "Offthread save of savegame done."


@dataclass(frozen=True)
class LiveCopyTimes:
    """Bounds, in seconds.

    save     until the save before the copy has ended; the copy is made all the same
    start    until the file appears
    settle   without growth, after which the file may be whole
    stall    without growth, after which it never will be
    total    for the whole copy
    """

    save: float = 30.0
    start: float = 20.0
    settle: float = 3.0
    stall: float = 180.0
    total: float = 7200.0


class LiveCopy:
    """Has the running game copy its world (`/genbackup`), and takes that copy when it is whole.

    The game says that it has finished in its own language and without naming the file, the file
    bears its final name from the beginning, and a stop cuts it. So the file itself is watched: it
    is whole when it no longer grows, has all its pages, and passes SQLite's check.
    """

    def __init__(self, game: Game, layout: Layout, times: LiveCopyTimes) -> None:
        self._game = game
        self._folder = layout.server_data / "Backups"
        self._times = times

    async def make(self, world: Path, target: Path, progress: Progress, *, by: str) -> None:
        """Put a checked copy of the world into the new file `target`.

        Raises `BackupNotStarted`, `BackupIncomplete`, `DamagedWorld`, `GameNotRunning`.
        """
        growing = self._folder / f"{_PREFIX}{ids.token(8)}{SUFFIX}"
        expected = await asyncio.to_thread(size_of, world)
        try:
            async with _within(self._times.total):
                progress.report(0, "The game saves")
                await self._save(by)
                progress.report(0.02, "The game copies its world")
                await self._copy(growing, max(expected, 1), progress, by)
            await asyncio.to_thread(growing.rename, target)
        finally:
            await finish_in_thread(lambda: growing.unlink(missing_ok=True))

    async def tidy(self) -> None:
        """Remove the half copies that an earlier manager left. To be called at start."""
        await finish_in_thread(self._remove_left)

    def _remove_left(self) -> None:
        for left in self._folder.glob(f"{_PREFIX}*{SUFFIX}"):
            left.unlink(missing_ok=True)

    async def _save(self, by: str) -> None:
        """Have the game save, so that the copy is of one point in time, if it does in time."""
        console = self._game.console
        with console.lines_matching(_save_ended) as watch, contextlib.suppress(TimeoutError):
            await console.send("/autosavenow", by=by)
            await watch.next(self._times.save)

    async def _copy(self, growing: Path, expected: int, progress: Progress, by: str) -> None:
        with self._game.console.lines_matching(_said_done) as said:
            await self._game.console.send(f"/genbackup {growing.name}", by=by)
            watched = _Growth(growing)
            while not await self._is_whole(watched):
                self._refuse_hopeless(watched)
                progress.report(0.02 + 0.9 * min(1.0, watched.size / expected))
                watched.finished = await _said(said) or watched.finished
        progress.report(1)

    async def _is_whole(self, watched: "_Growth") -> bool:
        """Whether the copy is whole; looked into only when it may be, and once for each state."""
        await watched.look()
        ended = watched.finished or self._game.status.state is not GameState.RUNNING
        if watched.looked_into or not (ended or watched.quiet >= self._times.settle):
            return False
        watched.looked_into = True
        return await _is_sound(watched.path)

    def _refuse_hopeless(self, watched: "_Growth") -> None:
        if self._game.status.state is not GameState.RUNNING:
            raise BackupIncomplete("The game ended while it copied its world.")
        if watched.size == 0 and watched.quiet >= self._times.start:
            raise BackupNotStarted
        if watched.looked_into and watched.finished:
            raise DamagedWorld
        if watched.quiet >= max(self._times.stall, self._times.settle):
            raise BackupIncomplete("The game no longer writes its copy of the world.")


class _Growth:
    """How a file grows.

    finished      the game said, in English, that it has finished
    looked_into   the file was checked as it is now, and wasn't whole
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.finished = False
        self.looked_into = False
        self._seen = (0, 0)
        self._changed = clock.monotonic()

    @property
    def quiet(self) -> float:
        """Seconds since the file last changed."""
        return clock.monotonic() - self._changed

    async def look(self) -> None:
        """Look at the file again."""
        seen = await asyncio.to_thread(_size_and_change, self.path)
        if seen != self._seen:
            self._seen, self.size = seen, seen[0]
            self._changed = clock.monotonic()
            self.looked_into = False


async def _said(watch: LineWaiter) -> bool:
    """Wait a moment; return at once, and True, when the game says that it has finished."""
    try:
        await watch.next(_POLL_SECONDS)
    except TimeoutError:
        return False
    except GameNotRunning:
        await asyncio.sleep(_POLL_SECONDS)
        return False
    return True


def _size_and_change(path: Path) -> tuple[int, int]:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


async def _is_sound(path: Path) -> bool:
    before = await asyncio.to_thread(_size_and_change, path)
    try:
        if not await asyncio.to_thread(looks_whole, path):
            return False
        await perform(CheckWorld(copied=path), before[0])
    except (DamagedWorld, FileNotFoundError):
        return False
    return await asyncio.to_thread(_size_and_change, path) == before


def _save_ended(line: ConsoleLine) -> bool:
    return line.authentic and line.text.startswith(_SAVED)


def _said_done(line: ConsoleLine) -> bool:
    return line.authentic and line.text.startswith(_DONE)


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BackupIncomplete("The game took too long to copy its world.") from None
