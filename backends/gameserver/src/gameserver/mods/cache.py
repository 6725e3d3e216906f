"""Answers of the mod database and files of mods, kept on disk."""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

from bedplate.documents.atomic import write_atomically
from bedplate.documents.exceptions import DocumentError

MAX_CACHE_BYTES: Final = 1024**3
MAX_CACHE_FILES: Final = 2_000


class FileCache:
    """Content by key, in files of one folder; beyond a limit the longest unused are dropped.

    A key never becomes a path: its hash does. All of it is blocking.
    """

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_CACHE_BYTES, max_files: int = MAX_CACHE_FILES
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_files = max_files

    def read(self, key: str) -> bytes | None:
        """Return the content of a key, or None."""
        path = self._path(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return content

    def write(self, key: str, content: bytes) -> None:
        """Keep the content of a key. If the disk is full, nothing is kept."""
        with contextlib.suppress(OSError, DocumentError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(key), content)
            files = [(file, file.stat()) for file in self._folder.iterdir()]
            files.sort(key=lambda item: item[1].st_mtime_ns, reverse=True)
            room = self._max_bytes
            for number, (file, status) in enumerate(files):
                room -= status.st_size
                if room < 0 or number >= self._max_files:
                    file.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()
