"""Standard output and the log files."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

STANDARD_OUTPUT = 1
MAX_ARCHIVES = 5
FILES = {
    "Chat": ("server-chat",),
    "Event": ("server-main", "server-event"),
    "Build": ("server-build",),
    "Worldgen": ("server-worldgen",),
    "Audit": ("server-audit",),
    "Debug": ("server-debug",),
    "VerboseDebug": ("server-debug",),
}
"""Log files of each level; every other level goes to server-main."""

FILE_ONLY = {"Audit", "Debug", "VerboseDebug", "Build", "Worldgen"}


class Log:
    """Standard output and `Logs/`. Lines from several threads never mix."""

    def __init__(self, folder: Path, time_separator: str = ":") -> None:
        self._folder = folder
        self._separator = time_separator
        self._files: dict[str, IO[bytes]] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Move the files of the previous run into the archive, and start new ones."""
        self._folder.mkdir(parents=True, exist_ok=True)
        archive(self._folder)

    def notification(self, text: str) -> None:
        """Log a message of the server, or a reply to a command."""
        self.write("Notification", text)

    def event(self, text: str) -> None:
        """Log an event."""
        self.write("Event", text)

    def write(self, level: str, text: str) -> None:
        """Log `text`; only its first line has time and level."""
        now = datetime.now(UTC).astimezone()
        time_of_it = self.stamp(now)
        with self._lock:
            if level not in FILE_ONLY:
                _print(f"{time_of_it} [Server {level}] {text}\n".encode())
            for name in FILES.get(level, ("server-main",)):
                self._append(name, f"{time_of_it} [{level}] {text}\n".encode())
            if level not in FILE_ONLY:
                fine = f"{time_of_it}.{now.microsecond // 1000:03} [{level}] {text}\n"
                self._append("server-debug", fine.encode())

    def stamp(self, moment: datetime) -> str:
        """Return a moment as the game prints it: `d.M.yyyy HH:mm:ss`, day and month unpadded.

        In .NET that colon is the separator of the host's culture.
        """
        time_of_day = self._separator.join(f"{moment:%H %M %S}".split())
        return f"{moment.day}.{moment.month}.{moment.year} {time_of_day}"

    def raw(self, content: bytes) -> None:
        """Print bytes unchanged."""
        with self._lock:
            _print(content)

    def crash(self, text: str) -> None:
        """Write the crash report."""
        with self._lock:
            self._append("server-crash", f"{text}\n".encode())

    def _append(self, name: str, content: bytes) -> None:
        if name not in self._files:
            self._files[name] = (self._folder / f"{name}.log").open("ab", buffering=0)
        self._files[name].write(content)


def archive(folder: Path) -> None:
    """Move log files to `Archive/<yyyy-MM-dd_HH_mm_ss>/`, keeping about five such folders."""
    old = sorted(folder.glob("server-*.log"))
    if not old:
        return
    target = folder / "Archive" / time.strftime("%Y-%m-%d_%H_%M_%S")
    target.mkdir(parents=True, exist_ok=True)
    for path in old:
        path.replace(target / path.name)
    for outdated in sorted(target.parent.iterdir())[:-MAX_ARCHIVES]:
        for path in outdated.iterdir():
            path.unlink()
        outdated.rmdir()


def _print(content: bytes) -> None:
    """Write to standard output, blocking while its reader does.

    A broken pipe is ignored, as .NET's console ignores it.
    """
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[os.write(STANDARD_OUTPUT, rest) :]
    except BrokenPipeError:
        pass
