"""Packing: a stream of files into one .tar.zst, hashed on the way."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import zstandard

from gameserver.archives.names import is_safe_name
from gameserver.archives.reading import CHUNK, UnpackedFile

_LEVEL: Final = 3
_HELD_IN_MEMORY: Final = 1 << 23
_MODE: Final = 0o644


class SourceChanged(OSError):
    """A file became shorter while it was packed."""


class ArchiveWriter:
    """A .tar.zst that is being written. Blocking: run it in a thread.

    Links, devices and pipes are left out, never followed; `skipped` names them. On leaving without
    an error the archive is complete and on disk (fsync); otherwise it must be thrown away.
    `read` is told of the bytes packed, after each chunk.
    """

    def __init__(self, path: Path, *, read: Callable[[int], None]) -> None:
        self._path = path
        self._read = read
        self.files: list[UnpackedFile] = []
        self.skipped: list[str] = []

    def __enter__(self) -> Self:
        """Create the file, which must not exist."""
        self._file = self._path.open("xb")
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._stream = compressor.stream_writer(self._file, closefd=False, write_size=CHUNK)
        self._tar = tarfile.TarFile(
            fileobj=self._stream, mode="w", format=tarfile.PAX_FORMAT, copybufsize=CHUNK
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the archive, unless something went wrong."""
        try:
            if error is None:
                self._tar.close()
                self._stream.flush(zstandard.FLUSH_FRAME)
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def add_tree(self, folder: Path, name: str) -> None:
        """Add every file below a folder, in a stable order. A missing folder adds nothing."""
        if folder.is_symlink():
            self.skipped.append(name)
            return
        for root, folders, files, descriptor in _walk(folder):
            folders.sort()
            below = os.path.relpath(root, folder)
            prefix = name if below == "." else f"{name}/{below}"
            for file in sorted(files):
                self._add_entry(file, f"{prefix}/{file}", descriptor)

    def add_file(self, path: Path, name: str) -> None:
        """Add one file. A missing one adds nothing."""
        self._add_entry(str(path), name, None)

    def add_bytes(self, content: bytes, name: str) -> None:
        """Add a file that is in memory."""
        self._add(io.BytesIO(content), name, len(content), 0)

    def _add_entry(self, file: str, name: str, folder: int | None) -> None:
        if not is_safe_name(name):  # no archive with it could be unpacked again
            self.skipped.append(name.encode(errors="replace").decode())
            return
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(file, flags, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError:
            self.skipped.append(name)
            return
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(opened.fileno())
            if stat.S_ISREG(status.st_mode):
                self._add_opened(opened, name, status)
            else:
                self.skipped.append(name)

    def _add_opened(self, opened: IO[bytes], name: str, status: os.stat_result) -> None:
        changed = int(status.st_mtime)
        if status.st_size > _HELD_IN_MEMORY:
            self._add(opened, name, status.st_size, changed)
            return
        # A running game rewrites small files: what was read at once is of one length.
        content = opened.read(_HELD_IN_MEMORY)
        self._add(io.BytesIO(content), name, len(content), changed)

    def _add(self, content: IO[bytes], name: str, size: int, changed: int) -> None:
        header = tarfile.TarInfo(name)
        header.size, header.mtime, header.mode = size, changed, _MODE
        source = _Hashing(content, size, self._read)
        self._tar.addfile(header, source)
        self.files.append(UnpackedFile(name, size, source.digest.hexdigest()))


class _Hashing(io.RawIOBase):
    """A file of a known length whose bytes are hashed and counted as they are read."""

    def __init__(self, file: IO[bytes], size: int, read: Callable[[int], None]) -> None:
        self._file = file
        self._left = size
        self._told = read
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        chunk = self._file.read(wanted)
        if len(chunk) < wanted:
            raise SourceChanged("A file became shorter while it was packed.")
        self._left -= len(chunk)
        self.digest.update(chunk)
        self._told(len(chunk))
        return chunk


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str], int]]:
    """Walk through a folder by its descriptors, so that no link is followed; nothing if missing."""
    try:
        yield from os.fwalk(folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return


def sizes_below(folder: Path) -> Iterator[int]:
    """Yield the size in bytes of every plain file below a folder; links are not followed."""
    for _, _, files, descriptor in _walk(folder):
        for file in files:
            status = _status(file, descriptor)
            if status is not None and stat.S_ISREG(status.st_mode):
                yield status.st_size


def _status(file: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(file, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
