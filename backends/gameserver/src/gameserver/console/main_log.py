"""server-main.log, the game's own log: what players type never gets into it."""

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gameserver.console.sanitize import sanitize

_MAX_HELD: Final = 10_000
_MAX_READ: Final = 4 << 20
_LINE: Final = re.compile(
    r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}[:.]\d{2}[:.]\d{2} \[([A-Za-z]{1,20})\] ?(.*)", re.ASCII
)

Wanted = Callable[[str, str], bool]
"""Whether a line of this level and text is worth remembering."""


class MainLog:
    """The log of the present run, read as it grows.

    Each line confirms one line of the console: the console prints the same text, and among it what
    players have typed. `poll` blocks.
    """

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self._folder = folder
        self._wanted = [wanted]
        self.begin()

    def begin(self) -> None:
        """Forget the last run; what its log holds so far is not read."""
        self._lines: Counter[tuple[str, str]] = Counter()
        self._rest = b""
        self._seen = False
        path = self._path()
        self._file, self._offset = _identity_and_size(path) if path is not None else (None, 0)

    @contextlib.contextmanager
    def watching(self, wanted: Wanted) -> Iterator[None]:
        """Remember lines of a further kind during the context."""
        self._wanted.append(wanted)
        try:
            yield
        finally:
            self._wanted.remove(wanted)

    def poll(self) -> bool:
        """Read what is new. Return False while there is no log of this run to compare with."""
        path = self._path()
        with contextlib.suppress(OSError):
            while path is not None and (content := self._read(path)):
                self._seen = True
                *lines, self._rest = (self._rest + content).split(b"\n")
                for line in lines:
                    self._take(line.removesuffix(b"\r").decode("utf-8", "replace"))
        return self._seen

    def confirm(self, level: str, text: str) -> bool:
        """Return whether the log has a line of this level and first line; it counts once."""
        key = level, text.partition("\n")[0]
        if self._lines[key] <= 0:
            del self._lines[key]
            return False
        self._lines[key] -= 1
        return True

    def take_rest(self) -> list[tuple[str, str]]:
        """Return level and text of the lines that have confirmed nothing yet, and forget them."""
        rest = list(self._lines.elements())
        self._lines.clear()
        return rest

    def _path(self) -> Path | None:
        """Return the newest part of the log: the game splits a long one, and archives old ones."""
        parts = []
        for path in self._folder.glob("server-main*"):
            with contextlib.suppress(OSError):
                parts.append((path.stat().st_mtime_ns, path))
        return max(parts)[1] if parts else None

    def _read(self, path: Path) -> bytes:
        file, size = _identity_and_size(path)
        if file != self._file or size < self._offset:
            self._file, self._offset, self._rest = file, 0, b""
        with path.open("rb") as log:
            log.seek(self._offset)
            content = log.read(_MAX_READ)
        self._offset += len(content)
        return content

    def _take(self, line: str) -> None:
        match = _LINE.fullmatch(sanitize(line))
        if match is not None and any(wanted(match[1], match[2]) for wanted in self._wanted):
            if len(self._lines) >= _MAX_HELD:
                del self._lines[next(iter(self._lines))]
            self._lines[match[1], match[2]] += 1


def _identity_and_size(path: Path) -> tuple[int | None, int]:
    try:
        status = path.lstat()
    except OSError:
        return None, 0
    return status.st_ino, status.st_size
