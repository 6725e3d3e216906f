"""Packs files into one .tar.zst, and hashes them in the same pass."""

import contextlib
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Self

import zstandard

from gameserver.archives.names import is_safe_name
from gameserver.archives.unpacking import CHUNK, ArchivedFile, ProgressCallback
from gameserver.disk import READ_FLAGS

_LEVEL: Final = 3
_MAX_BYTES_IN_MEMORY: Final = 1 << 23
_MODE: Final = 0o644


class SourceChanged(OSError):
    """A file became shorter while it was packed."""


class ArchiveWriter:
    """Writes a .tar.zst. Blocking: run it in a thread.

    Links, devices and pipes are left out, never followed, and so are files whose names could not be
    unpacked; `skipped` lists them. When the context ends without an error, the archive is complete
    and on disk (fsync); otherwise it must be thrown away. `on_progress` receives the bytes packed,
    after each chunk.
    """

    def __init__(self, path: Path, *, on_progress: ProgressCallback) -> None:
        self._path = path
        self._on_progress = on_progress
        self.files: list[ArchivedFile] = []
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

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
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
            subfolder = os.path.relpath(root, folder)
            prefix = name if subfolder == "." else f"{name}/{subfolder}"
            for file in sorted(files):
                self._add_path(file, f"{prefix}/{file}", descriptor)

    def add_file(self, path: Path, name: str) -> None:
        """Add one file. A missing file adds nothing."""
        self._add_path(str(path), name, None)

    def add_bytes(self, content: bytes, name: str) -> None:
        """Add a file whose content is in memory."""
        self._add(io.BytesIO(content), name, len(content), 0)

    def _add_path(self, path: str, name: str, folder: int | None) -> None:
        if not is_safe_name(name):  # no archive with it could be unpacked again
            self.skipped.append(name.encode(errors="replace").decode())
            return
        try:
            descriptor = os.open(path, READ_FLAGS, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError:
            self.skipped.append(name)
            return
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                self.skipped.append(name)
            elif status.st_size > _MAX_BYTES_IN_MEMORY:
                self._add(file, name, status.st_size, int(status.st_mtime))
            else:
                # A running game rewrites small files; one read gives one consistent length.
                content = file.read(_MAX_BYTES_IN_MEMORY)
                self._add(io.BytesIO(content), name, len(content), int(status.st_mtime))

    def _add(self, content: IO[bytes], name: str, size: int, modified: int) -> None:
        header = tarfile.TarInfo(name)
        header.size, header.mtime, header.mode = size, modified, _MODE
        source = _HashingReader(content, size, self._on_progress)
        self._tar.addfile(header, source)
        self.files.append(ArchivedFile(name, size, source.digest.hexdigest()))


class _HashingReader(io.RawIOBase):
    """Reads a file of a known length, and hashes and counts its bytes."""

    def __init__(self, file: IO[bytes], size: int, on_progress: ProgressCallback) -> None:
        self._file = file
        self._remaining = size
        self._on_progress = on_progress
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        expected = self._remaining if size < 0 else min(size, self._remaining)
        chunk = self._file.read(expected)
        if len(chunk) < expected:
            raise SourceChanged("A file became shorter while it was packed.")
        self._remaining -= len(chunk)
        self.digest.update(chunk)
        self._on_progress(len(chunk))
        return chunk


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str], int]]:
    """Walk through a folder by descriptors, so that no link is followed; nothing if missing."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        yield from os.fwalk(folder, follow_symlinks=False)


def sizes_below(folder: Path) -> Iterator[int]:
    """Yield the size in bytes of every regular file below a folder; links are not followed."""
    for _, _, files, descriptor in _walk(folder):
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(file, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield status.st_size
