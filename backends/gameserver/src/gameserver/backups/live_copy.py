import asyncio
import contextlib
from pathlib import Path
from typing import Final

from bedplate import clock, ids
from bedplate.documents.threads import finish_in_thread
from gameserver.backups.exceptions import BackupIncomplete, BackupNotStarted, DamagedWorld
from gameserver.backups.jobs import CheckWorld
from gameserver.backups.worker_process import perform
from gameserver.backups.worlds import looks_complete, size_of
from gameserver.console.exceptions import GameNotRunning
from gameserver.console.replies import LineWaiter, Matches
from gameserver.layout import Layout
from gameserver.locations import SUFFIX
from gameserver.operations.progress import Progress
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.status import GameState

_PREFIX: Final = "manager-"
_POLL_SECONDS: Final = 0.2
_COPY_FINISHED: Final = "Backup complete"
_SAVE_FINISHED: Final = "Offthread save of savegame done."


class LiveCopy:
    """Has the running game copy its world (`/genbackup`), and takes the copy once it is complete.

    Only the game can copy its world consistently while it runs. It reports the end in its own
    language and without naming the file, the file has its final name from the beginning, and a
    stop truncates it. So this class watches the file: it is complete when it no longer grows, has
    all its pages, and passes SQLite's check.
    """

    def __init__(self, game: Game, layout: Layout, settings: GameServerSettings) -> None:
        self._game = game
        self._folder = layout.server_data / "Backups"
        self._settings = settings

    async def make(self, world: Path, target: Path, progress: Progress, *, by: str) -> None:
        """Put a checked copy of the world into the new file `target`.

        Raises `BackupNotStarted`, `BackupIncomplete`, `DamagedWorld`, `GameNotRunning`.
        """
        copy = self._folder / f"{_PREFIX}{ids.token(8)}{SUFFIX}"
        expected = await asyncio.to_thread(size_of, world)
        try:
            async with asyncio.timeout(self._settings.backup_total_seconds):
                progress.report(0, "The game saves")
                await self._save(by)
                progress.report(0.02, "The game copies its world")
                await self._copy(copy, max(expected, 1), progress, by)
            await asyncio.to_thread(copy.rename, target)
        except TimeoutError:
            raise BackupIncomplete("The game took too long to copy its world.") from None
        finally:
            await finish_in_thread(lambda: copy.unlink(missing_ok=True))

    def tidy(self) -> None:
        """Remove the partial copies that an earlier manager left. Blocking; called at start."""
        for leftover in self._folder.glob(f"{_PREFIX}*{SUFFIX}"):
            leftover.unlink(missing_ok=True)

    async def _save(self, by: str) -> None:
        """Have the game save, so that the copy is of one point in time, if it does so in time."""
        console = self._game.console
        finished = _says(_SAVE_FINISHED)
        async with console.lines_matching(finished) as waiter:
            await console.send("/autosavenow", by=by)
            with contextlib.suppress(TimeoutError):
                await waiter.next(self._settings.backup_save_seconds)

    async def _copy(self, copy: Path, expected: int, progress: Progress, by: str) -> None:
        async with self._game.console.lines_matching(_says(_COPY_FINISHED)) as waiter:
            await self._game.console.send(f"/genbackup {copy.name}", by=by)
            file = _GrowingFile(copy)
            while not await self._is_complete(file):
                self._refuse_hopeless(file)
                progress.report(0.02 + 0.9 * min(1.0, file.size / expected))
                file.finished = await _reported(waiter) or file.finished
        progress.report(1)

    async def _is_complete(self, file: "_GrowingFile") -> bool:
        """Return whether the copy is complete; checked only if it may be, once for each change."""
        await file.refresh()
        ended = file.finished or self._game.status.state is not GameState.RUNNING
        settled = file.quiet_seconds >= self._settings.backup_settle_seconds
        if file.checked or not (ended or settled):
            return False
        file.checked = True
        return await _is_sound(file.path)

    def _refuse_hopeless(self, file: "_GrowingFile") -> None:
        if self._game.status.state is not GameState.RUNNING:
            raise BackupIncomplete("The game ended while it copied its world.")
        if file.size == 0 and file.quiet_seconds >= self._settings.backup_start_seconds:
            raise BackupNotStarted
        settle, stall = self._settings.backup_settle_seconds, self._settings.backup_stall_seconds
        # A game without a log of its own can't prove its report: a growing file refutes it.
        if file.checked and file.finished and file.quiet_seconds >= settle:
            raise DamagedWorld
        if file.quiet_seconds >= max(settle, stall):
            raise BackupIncomplete("The game no longer writes its copy of the world.")


class _GrowingFile:
    """A file that the game writes.

    finished   the game reported, in English, that it has finished
    checked    the file was checked in its present state, and was not complete
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.finished = False
        self.checked = False
        self._version = (0, 0)
        self._changed_at = clock.monotonic()

    @property
    def quiet_seconds(self) -> float:
        """Seconds since the file last changed."""
        return clock.monotonic() - self._changed_at

    async def refresh(self) -> None:
        """Read the file's size and time of change again."""
        version = await asyncio.to_thread(_size_and_change, self.path)
        if version != self._version:
            self._version, self.size = version, version[0]
            self._changed_at = clock.monotonic()
            self.checked = False


async def _reported(waiter: LineWaiter) -> bool:
    """Wait a moment; return True at once if the game reports that it has finished."""
    try:
        await waiter.next(_POLL_SECONDS)
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
        if not await asyncio.to_thread(looks_complete, path):
            return False
        await perform(CheckWorld(world_copy=path), before[0])
    except (DamagedWorld, FileNotFoundError):
        return False
    return await asyncio.to_thread(_size_and_change, path) == before


def _says(text: str) -> Matches:
    return lambda _, line: line.startswith(text)
