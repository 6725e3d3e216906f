"""Files below one folder, which are reached without following a link.

Each folder on the path is opened relative to the previous one (openat) with O_NOFOLLOW, and files
relative to the last one: a link that appears in the meantime is refused, not followed. Everything
here is blocking: run it in a thread.
"""

import contextlib
import errno
import hashlib
import itertools
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bedplate import ids
from gameserver.archives.names import MAX_DEPTH, is_plain_name
from gameserver.disk import READ_FLAGS
from gameserver.files.exceptions import (
    FileMissing,
    FileTooLarge,
    FileWriteFailed,
    InvalidPath,
    NotAFile,
)
from gameserver.files.schemas import FileEntry, FileKind

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
MAX_PATH_LENGTH: Final = 1_000

_MAX_ENTRIES: Final = 10_000
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE: Final = 0o644
_KINDS: Final[dict[int, FileKind]] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
}
_LINKS: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
_WRITE_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
_TEMPORARY: Final = ".manager-"

Names = tuple[str, ...]


def names_of(path: str) -> Names:
    """Return the names in a path that a client sent; none for the root itself.

    Raises `InvalidPath` for a path that is absolute or leads upwards, and for names that are not
    plain or not printable.
    """
    if path == "":
        return ()
    names = tuple(path.split("/"))
    if len(path) > MAX_PATH_LENGTH or len(names) > MAX_DEPTH:
        raise InvalidPath("The path is too long.")
    if not all(is_name(name) for name in names):
        raise InvalidPath("The path must be relative, without `..` and without odd characters.")
    return names


def is_name(name: str) -> bool:
    """Return whether a text can be the name of a file or folder in a request."""
    return name.isprintable() and is_plain_name(name)


def etag_of(content: bytes) -> str:
    """Return the strong ETag of a file's bytes (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class FileTree:
    """The files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def entries(self, names: Names) -> list[FileEntry]:
        """Return a folder's entries, sorted by name. Raises `FileMissing`, `NotAFile`."""
        with self._folder(names) as folder, os.scandir(folder) as entries:
            visible = (item for item in entries if is_name(item.name) and not _is_ours(item.name))
            listed = [_to_entry(item) for item in itertools.islice(visible, _MAX_ENTRIES)]
        return sorted(listed, key=lambda entry: entry.name)

    def read(self, names: Names) -> bytes:
        """Return a file's bytes. Raises `FileMissing`, `NotAFile`, `FileTooLarge`."""
        with self._parent(names) as (folder, name):
            descriptor = os.open(name, READ_FLAGS, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                _require_regular(os.fstat(descriptor))
                content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise FileTooLarge(f"Files of more than {MAX_FILE_BYTES} bytes can't be read.")
        return content

    def find(self, names: Names) -> bytes | None:
        """Return a file's bytes, or None if there is none. Raises what else `read` raises."""
        try:
            return self.read(names)
        except FileMissing:
            return None

    def write(self, names: Names, content: bytes) -> None:
        """Replace or create a file, atomically and durably; its folder must exist.

        Permissions stay. Raises `FileMissing`, `NotAFile`, `FileTooLarge`.
        """
        if len(content) > MAX_FILE_BYTES:
            raise FileTooLarge(f"A file may have at most {MAX_FILE_BYTES} bytes.")
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
        """Remove the temporary files that killed writes left."""
        for path, _, files in os.walk(self._root):
            for name in files:
                if _is_ours(name):
                    (Path(path) / name).unlink(missing_ok=True)

    @staticmethod
    def _mode(folder: int, name: str) -> int:
        """Return the permissions of a file, or those of a new one. Raises `NotAFile`."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return _MODE
        _require_regular(status)
        return stat.S_IMODE(status.st_mode)

    @contextlib.contextmanager
    def _parent(self, names: Names) -> Iterator[tuple[int, str]]:
        if not names:
            raise NotAFile("That is a folder.")
        with self._folder(names[:-1]) as folder:
            yield folder, names[-1]

    @contextlib.contextmanager
    def _folder(self, names: Names) -> Iterator[int]:
        """Open a folder, one name after another."""
        with _translated_errors():
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
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise FileMissing from None
    except (IsADirectoryError, PermissionError):
        raise NotAFile("That can't be opened as a file.") from None
    except OSError as error:
        if error.errno in _LINKS:
            raise NotAFile(
                "The path leads through a link or a file; links are never followed."
            ) from None
        if error.errno in {errno.ENAMETOOLONG, errno.EINVAL}:
            raise InvalidPath("No file could have this path.") from None
        if error.errno == errno.ENXIO:
            raise NotAFile("That is not a regular file.") from None
        if error.errno in _WRITE_ERRORS:
            raise FileWriteFailed(retry_after=60) from None
        raise


def _require_regular(status: os.stat_result) -> None:
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


def _to_entry(item: os.DirEntry[str]) -> FileEntry:
    status = item.stat(follow_symlinks=False)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "other")
    changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
    return FileEntry(name=item.name, kind=kind, size=status.st_size, changed_at=changed_at)


def _is_ours(name: str) -> bool:
    return name.startswith(_TEMPORARY)
