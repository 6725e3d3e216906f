"""Room on the disk, asked for before long work begins."""

import shutil
from pathlib import Path
from typing import Final

from bedplate.problems import ProblemError

MARGIN: Final = 1.1


class InsufficientStorage(ProblemError):
    """The disk has no room for what is asked (507: RFC 4918, section 11.5)."""

    status = 507
    code = "insufficient_storage"


def require_room(folder: Path, size: int) -> None:
    """Raise `InsufficientStorage` unless a disk has `size` bytes free, and a tenth more.

    Blocking, though short: run it in a thread.
    """
    wanted = int(size * MARGIN)
    free = free_bytes(folder)
    if free < wanted:
        raise InsufficientStorage(
            f"This needs {wanted // 1_000_000} MB of free disk; {free // 1_000_000} MB are free."
        )


def free_bytes(folder: Path) -> int:
    """Return how many bytes the disk of a folder has free. Blocking, though short."""
    return shutil.disk_usage(folder).free


def remove_tree(path: Path) -> None:
    """Remove a staged folder, as far as that is possible. Blocking: run it in a thread."""
    shutil.rmtree(path, ignore_errors=True)
