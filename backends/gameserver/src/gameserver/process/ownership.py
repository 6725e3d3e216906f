"""Who owns a data directory, and whether a game still runs on it: the kernel says so.

Both are locks (flock) on files. They end with the process that holds them, however it ends, and no
number of a process can be mistaken for another's.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from bedplate.runtime import StartupError
from gameserver.layout import Layout

POLL_SECONDS: Final = 0.1


@contextlib.contextmanager
def owning(layout: Layout) -> Iterator[None]:
    """Own the data directory. Raises `StartupError` when another manager does."""
    path = layout.manager / "manager.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _lock(descriptor):
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise StartupError(
                f"Another manager (process {owner}) already owns {layout.root}; "
                "stop it, or set VS_DATA_DIRECTORY to another folder."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


class WorldFile:
    """The lock that every process of the game inherits: as long as it's held, one runs."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.manager / "game.lock"

    def take(self) -> int | None:
        """Return a descriptor that holds the lock, to be inherited; None when a game holds it.

        The game's process gets a copy; closing this one then leaves the lock with the game.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _lock(descriptor):
            return descriptor
        os.close(descriptor)
        return None

    def is_held(self) -> bool:
        """Return whether a process of a game still runs."""
        descriptor = self.take()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def holders(self) -> list[int]:
        """Return the ids of the processes that hold the lock. Blocks; looks at every process."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if any(Path(file.path) == self._path.absolute() for file in process.open_files()):
                    found.append(process.pid)
        return [pid for pid in found if pid != os.getpid()]

    async def signal_holders(self, number: signal.Signals) -> None:
        """Send a signal to every process that holds the lock."""
        for pid in await asyncio.to_thread(self.holders):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    async def end_holders(self, *, terminate_seconds: float, kill_seconds: float) -> bool:
        """End every process that holds the lock: SIGTERM, then SIGKILL.

        Returns whether SIGTERM was enough.
        """
        await self.signal_holders(signal.SIGTERM)
        if await self.is_released_within(terminate_seconds):
            return True
        await self.signal_holders(signal.SIGKILL)
        await self.is_released_within(kill_seconds)
        return False

    async def is_released_within(self, seconds: float) -> bool:
        """Return whether every process of a game ends in this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.is_held():  # noqa: ASYNC110 - the kernel tells of no lock's end
                    await asyncio.sleep(POLL_SECONDS)
        return not self.is_held()


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
