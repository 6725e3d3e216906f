"""Bytes in a file: the old ones or the new ones, never a mixture, whenever the process dies."""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from bedplate import ids
from bedplate.documents.exceptions import UnsuitableFile, WriteFailed, reason_of

_MAX_PREFIX_LENGTH = 200  # of the 255 bytes that file systems give a name; the token needs the rest
_NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 10


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write `content` to the file `path`; blocking, so call it in a thread.

    It is written beside the file under an unpredictable name, brought to the disk, and renamed.
    What an earlier write left behind when its process was killed is removed. `mode` are the
    permissions of the file afterwards. Raises `UnsuitableFile` when the path is a link, a folder
    or a device, and `WriteFailed` when the disk is full, for instance; both leave it as it was.
    """
    refuse_unsuitable(path)
    try:
        remove_leftovers(path)
        with _temporary(path) as (temporary, descriptor):
            os.fchmod(descriptor, mode)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(descriptor)
            temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise WriteFailed(path, f"could not be written, {reason_of(error)}.") from error


def refuse_unsuitable(path: Path) -> None:
    """Raise `UnsuitableFile` unless `path` is an ordinary file or nothing at all."""
    mode = mode_of(path)
    if mode is None or stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise UnsuitableFile(path, "is a symbolic link; put the file itself here.")
    raise UnsuitableFile(path, "is not an ordinary file; move it away.")


def mode_of(path: Path) -> int | None:
    """Return the mode of what is there, be it a link; None for nothing. Raises `UnsuitableFile`."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnsuitableFile(path, f"can't be looked at, {reason_of(error)}.") from error


def remove_leftovers(path: Path) -> list[Path]:
    """Remove what killed writes of the file `path` left beside it, and return what that was.

    Whoever writes holds a lock on its temporary file, and the system frees it when the process
    dies: a file that can be locked belongs to nobody.
    """
    pattern = re.compile(re.escape(_prefix(path)) + r"[0-9a-f]{32}\.tmp")
    with os.scandir(path.parent) as entries:
        found = [path.parent / entry.name for entry in entries if pattern.fullmatch(entry.name)]
    return [leftover for leftover in found if _remove_unlocked(leftover)]


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk: a rename is durable only after that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[tuple[Path, int]]:
    """Give a new, locked file beside `path`; it is removed unless it was renamed."""
    temporary, descriptor = _create(path)
    try:
        yield temporary, descriptor
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _create(path: Path) -> tuple[Path, int]:
    for _ in range(_ATTEMPTS):
        temporary = path.parent / f"{_prefix(path)}{ids.token(16)}.tmp"
        descriptor = os.open(temporary, _NEW_FILE, 0o600)
        if _lock(descriptor) and os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # between open and lock, another took it for a leftover
    raise OSError(errno.EAGAIN, "no temporary file could be kept")


def _prefix(path: Path) -> str:
    name = path.name
    if len(os.fsencode(name)) > _MAX_PREFIX_LENGTH:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}."


def _remove_unlocked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        locked = _lock(descriptor)
        if locked:
            path.unlink(missing_ok=True)
        return locked
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
