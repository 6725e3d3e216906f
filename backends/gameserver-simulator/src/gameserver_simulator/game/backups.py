"""/genbackup and /db vacuum: long work on the world, each in its own thread."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gameserver_simulator.game.core import Core

STEPS = 40
"""Approximate number of portions of a copy, with a rest after each."""


class _CutShort(Exception):
    """The stop ends a copy."""


class Backups:
    """Copies of the world into `Backups/`, one at a time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._cut = threading.Event()
        self._thread: threading.Thread | None = None
        self.under_way = False

    def begin(self, name: str) -> None:
        """Start a copy under its final name, where it grows. Refused while another is under way."""
        log = self._core.log
        log.notification(self._core.translate("backup begins"))
        if self.under_way:
            log.notification(self._core.translate("backup busy"))
            return
        self.under_way = True
        target = self._core.options.data_path / "Backups" / self._name(name)
        target.parent.mkdir(exist_ok=True)
        self._run(lambda: self._copy(target))

    def vacuum(self) -> None:
        """Rewrite the world's file without its holes."""
        self._core.log.notification(self._core.translate("vacuum begins"))
        self._run(self._vacuum)

    def cut_short(self) -> None:
        """End a copy in the middle, as a stop does: the incomplete file stays."""
        self._cut.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, target: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=target, daemon=True)
        self._thread.start()

    def _name(self, name: str) -> str:
        """Return the target's name: the last part of `name`, or one made of world and time."""
        default = f"{self._core.world.path.stem}-{time.strftime('%Y-%m-%d_%H-%M-%S')}.vcdbs"
        return Path(name.replace("\\", "/")).name or default

    def _copy(self, target: Path) -> None:
        options = self._core.options
        try:
            target.unlink(missing_ok=True)
            self._copy_slowly(target)
        except _CutShort:
            return
        except (OSError, sqlite3.Error) as error:
            # It stays under way, so further backups are refused until the next start.
            self._core.log.write("Error", f"Exception: {error}")
            return
        if options.backup_fails:
            # Only completion clears the flag, so all further backups are refused.
            return
        if options.backup_damaged:
            _damage(target)
        self.under_way = False
        self._core.log.notification(self._core.translate("backup done"))

    def _copy_slowly(self, target: Path) -> None:
        with (
            closing(sqlite3.connect(self._core.world.path)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            # With a small cache the pages go to the file at once, not at the end.
            copy.execute("PRAGMA cache_size = 1")
            pages = source.execute("PRAGMA page_count").fetchone()[0]
            source.backup(
                copy,
                pages=max(1, pages // STEPS),
                progress=self._step,
                sleep=0,
            )

    def _step(self, _status: int, remaining: int, total: int) -> None:
        options = self._core.options
        if options.backup_fails and remaining < total / 2:
            self._cut.wait()
        if self._cut.wait(options.backup_seconds / STEPS):
            raise _CutShort

    def _vacuum(self) -> None:
        self._core.world.vacuum()
        self._core.log.notification(self._core.translate("vacuum done"))


def _damage(path: Path) -> None:
    """Overwrite a page in the middle with nonsense."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
