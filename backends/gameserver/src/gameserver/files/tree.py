"""Files below one folder, reached without ever following a link.

Each folder on the way is opened from the one before (openat) with O_NOFOLLOW, and what is done is
done relative to that descriptor: a link put there meanwhile is refused, not followed. Everything
here blocks: call it in a thread.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bedplate import ids
from gameserver.files.exceptions import (
    FileMissing,
    FileNotWritten,
    FileTooLarge,
    NotAFile,
    PathRefused,
)
from gameserver.files.paths import is_name

LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a file that is read or written."""

_MAX_ENTRIES: Final = 10_000
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE: Final = 0o644
_LINKS: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
_TEMPORARY: Final = ".manager-"

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder. `kind` is file, folder, link or other."""

    name: str
    kind: str
    size: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes and their ETag."""

    content: bytes
    changed_at: datetime

    @property
    def etag(self) -> str:
        """A strong ETag (RFC 9110, section 8.8.3)."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


class FileTree:
    """The files below `root`."""

    def __init__(self, root: Path, *, largest: int = LARGEST) -> None:
        self._root = root
        self._largest = largest

    def entries(self, names: Names) -> list[Entry]:
        """Return what is in a folder, by name. Raises `FileMissing`, `NotAFile`."""
        with self._folder(names) as folder, os.scandir(folder) as found:
            shown = (one for one in found if is_name(one.name) and not _is_ours(one.name))
            entries = [_entry(one) for _, one in zip(range(_MAX_ENTRIES), shown, strict=False)]
        return sorted(entries, key=lambda entry: entry.name)

    def read(self, names: Names) -> Content:
        """Return a file's bytes. Raises `FileMissing`, `NotAFile`, `FileTooLarge`."""
        with self._parent(names) as (folder, name):
            return self._read(folder, name)

    def find(self, names: Names) -> Content | None:
        """Return a file's bytes, or None when there is none. Raises as `read` does."""
        try:
            return self.read(names)
        except FileMissing:
            return None

    def write(self, names: Names, content: bytes) -> None:
        """Put bytes into a file, all at once and durably; a new one needs its folder.

        Permissions stay. Raises `FileMissing`, `NotAFile`, `FileTooLarge`.
        """
        if len(content) > self._largest:
            raise FileTooLarge(f"A file may have at most {self._largest} bytes.")
        with self._parent(names) as (folder, name):
            mode = self._mode(folder, name)
            temporary = f"{_TEMPORARY}{ids.token(16)}"
            try:
                _write_new(folder, temporary, content, mode)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)

    def delete(self, names: Names) -> None:
        """Remove a file. Raises `FileMissing`, `NotAFile`."""
        with self._parent(names) as (folder, name):
            self._mode(folder, name)
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def tidy(self) -> None:
        """Remove what killed writes left behind."""
        for path, _, files in os.walk(self._root):
            for name in files:
                if _is_ours(name):
                    (Path(path) / name).unlink(missing_ok=True)

    def _read(self, folder: int, name: str) -> Content:
        with _plain_errors():
            descriptor = os.open(name, _READ, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            _require_ordinary(status)
            content = file.read(self._largest + 1)
        if len(content) > self._largest:
            raise FileTooLarge(f"Files of more than {self._largest} bytes aren't shown.")
        return Content(content, _moment(status))

    @staticmethod
    def _mode(folder: int, name: str) -> int:
        """Return the permissions of a file, or those of a new one. Raises `NotAFile`."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return _MODE
        _require_ordinary(status)
        return stat.S_IMODE(status.st_mode)

    @contextlib.contextmanager
    def _parent(self, names: Names) -> Iterator[tuple[int, str]]:
        if not names:
            raise NotAFile("That is a folder.")
        with self._folder(names[:-1]) as folder:
            yield folder, names[-1]

    @contextlib.contextmanager
    def _folder(self, names: Names) -> Iterator[int]:
        """Open a folder, one name after the other."""
        with _plain_errors():
            folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for name in names:
                    inner = os.open(name, _FOLDER, dir_fd=folder)
                    os.close(folder)
                    folder = inner
                yield folder
            finally:
                os.close(folder)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise FileMissing from None
    except (IsADirectoryError, PermissionError):
        raise NotAFile("That can't be opened as a file.") from None
    except OSError as error:
        if error.errno in _LINKS:
            raise NotAFile("A link or a file is on the way; links are never followed.") from None
        if error.errno in {errno.ENAMETOOLONG, errno.EINVAL}:
            raise PathRefused("No file could have this path.") from None
        if error.errno == errno.ENXIO:
            raise NotAFile("That is no ordinary file.") from None
        if error.errno in _NO_ROOM:
            raise FileNotWritten from None
        raise


def _require_ordinary(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise NotAFile("That is a folder.")
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile("That is a link, a device or a pipe.")
    if status.st_nlink > 1:
        raise NotAFile("The file has another name elsewhere (a hard link).")


def _write_new(folder: int, name: str, content: bytes, mode: int) -> None:
    descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _entry(found: os.DirEntry[str]) -> Entry:
    status = found.stat(follow_symlinks=False)
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    return Entry(found.name, kind, status.st_size, _moment(status))


def _moment(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)


def _is_ours(name: str) -> bool:
    return name.startswith(_TEMPORARY)
