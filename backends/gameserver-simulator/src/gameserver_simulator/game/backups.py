"""/genbackup and /db vacuum: long work on the world, in threads of their own."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

STEPS = 40
"""A copy writes about so many portions, with a rest between two."""


class Cut(Exception):
    """The stop ends a copy."""


class Backups:
    """Copies of the world into `Backups/`, one at a time."""

    def __init__(self, game: "Game") -> None:
        self._game = game
        self._cut = threading.Event()
        self._thread: threading.Thread | None = None
        self.under_way = False

    def begin(self, name: str) -> None:
        """Begin a copy under its final name; it grows there. Refused while one is under way."""
        texts, log = self._game.texts, self._game.log
        log.notification(texts("backup begins"))
        if self.under_way:
            log.notification(texts("backup busy"))
            return
        self.under_way = True
        target = self._game.options.data_path / "Backups" / self._name(name)
        target.parent.mkdir(exist_ok=True)
        self._work(lambda: self._copy(target))

    def vacuum(self) -> None:
        """Rewrite the world's file without its holes."""
        self._game.log.notification(self._game.texts("vacuum begins"))
        self._work(self._vacuum)

    def cut(self) -> None:
        """End a copy in the middle, as a stop does: what is written stays."""
        self._cut.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def _name(self, given: str) -> str:
        """Return the target's name; of a given path its last part counts, taken as it is."""
        default = f"{self._game.world.path.stem}-{time.strftime('%Y-%m-%d_%H-%M-%S')}.vcdbs"
        return Path(given.replace("\\", "/")).name or default

    def _copy(self, target: Path) -> None:
        options = self._game.options
        try:
            target.unlink(missing_ok=True)
            self._copy_slowly(target)
        except Cut:
            return
        except (OSError, sqlite3.Error) as error:
            # Under way it stays, so further backups are refused until the next start.
            self._game.log.write("Error", f"Exception: {error}")
            return
        if options.backup_fails:
            # The flag is cleared by the completion alone, so all others are refused from here.
            return
        if options.backup_damaged:
            _damage(target)
        self.under_way = False
        self._game.log.notification(self._game.texts("backup done"))

    def _copy_slowly(self, target: Path) -> None:
        with (
            closing(sqlite3.connect(self._game.world.path)) as source,
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
        options = self._game.options
        if options.backup_fails and remaining < total / 2:
            self._cut.wait()
        if self._cut.wait(options.backup_seconds / STEPS):
            raise Cut

    def _vacuum(self) -> None:
        self._game.world.vacuum()
        self._game.log.notification(self._game.texts("vacuum done"))


def _damage(path: Path) -> None:
    """Overwrite a page in the middle with nonsense."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
