"""Disk space that long work needs, and files that are written, hashed and removed around it."""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from bedplate import ids
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import ContentTooLarge, ProblemError

_PORTION_BYTES: Final = 1 << 20
MARGIN: Final = 1.1
READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Open a file to read it: a link is refused, and a pipe is not waited for."""


class InsufficientStorage(ProblemError):
    """The disk has too little free space (507: RFC 4918, section 11.5)."""

    status = 507
    code = "insufficient_storage"


def require_room(folder: Path, size: int) -> None:
    """Raise `InsufficientStorage` unless a disk has `size` bytes free, and a tenth more.

    Blocking, though short: run it in a thread.
    """
    needed, free = int(size * MARGIN), shutil.disk_usage(folder).free
    if free < needed:
        raise InsufficientStorage(
            f"This needs {needed // 1_000_000} MB of free disk; {free // 1_000_000} MB are free."
        )


@contextlib.asynccontextmanager
async def staged_folder(staging: Path, purpose: str) -> AsyncIterator[Path]:
    """Yield a new folder in `staging` for files in preparation; remove it afterwards."""
    folder = staging / f"{purpose}-{ids.token(8)}"
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        yield folder
    finally:
        await finish_in_thread(lambda: remove_tree(folder))


def discard_staging(staging: Path) -> None:
    """Leave `staging` empty. Blocking: run it in a thread.

    The folder is moved away first: a process of a manager that was killed may still write into it,
    and what it writes after this is removed at the next start.
    """
    discarded = f"{staging.name}-discarded-"
    staging.rename(staging.with_name(discarded + ids.token(8)))
    staging.mkdir()
    for folder in staging.parent.glob(f"{discarded}*"):
        remove_tree(folder)


def remove_tree(path: Path) -> None:
    """Remove a staged folder, as far as that is possible. Blocking: run it in a thread."""
    shutil.rmtree(path, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Blocking: run it in a thread.

    A link is refused (`OSError`), and a pipe that someone put there is not waited for.
    """
    with os.fdopen(os.open(path, READ_FLAGS), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def write_stream(
    chunks: AsyncIterator[bytes],
    target: Path,
    *,
    max_bytes: int,
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a stream into a new file, in portions of a megabyte or more.

    `on_progress` receives the bytes written. Raises `ContentTooLarge` beyond `max_bytes`.
    """
    size = 0
    buffer = bytearray()
    with await asyncio.to_thread(target.open, "xb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise ContentTooLarge(f"The file may have at most {max_bytes} bytes.")
            buffer += chunk
            if len(buffer) >= _PORTION_BYTES:
                await asyncio.to_thread(file.write, buffer)
                on_progress(len(buffer))
                buffer = bytearray()
        await asyncio.to_thread(file.write, buffer)
        on_progress(len(buffer))
