"""What managers leave to each other: the data directory, a running game, and whether it should run.

Ownership is a lock (flock) on a file. The kernel releases it with the process that holds it,
however that ends, and no process id can be mistaken for another's.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import structlog
from pydantic import BaseModel, Field

from bedplate.documents import Document
from bedplate.jobs.background import Jobs
from bedplate.runtime import StartupError
from gameserver.layout import Layout
from gameserver.process.stopping import KILL_SECONDS

_POLL_SECONDS: Final = 0.1


class ProcessRecord(BaseModel):
    """What a manager leaves to the next one."""

    wanted: bool = Field(default=False, description="Whether the game should run")


def process_document(layout: Layout) -> Document[ProcessRecord]:
    """Return the document that holds the record."""
    return Document(layout.state / "process.json", ProcessRecord, default=ProcessRecord)


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


class ProcessLock:
    """The lock that every process of the game inherits: as long as it is held, a game runs."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.manager / "game.lock"

    def acquire(self) -> int | None:
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
        descriptor = self.acquire()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    async def signal_holders(self, number: signal.Signals) -> None:
        """Send a signal to every process that holds the lock."""
        for pid in await asyncio.to_thread(self._holders):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    async def is_released_within(self, seconds: float) -> bool:
        """Return whether every process of a game ends within `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.is_held():  # noqa: ASYNC110 - the kernel notifies nobody of a release
                    await asyncio.sleep(_POLL_SECONDS)
        return not self.is_held()

    def _holders(self) -> list[int]:
        """Return the ids of the processes that hold the lock. Blocks; looks at every process."""
        pids = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if any(Path(file.path) == self._path.absolute() for file in process.open_files()):
                    pids.append(process.pid)
        return [pid for pid in pids if pid != os.getpid()]


@dataclass(eq=False)
class Orphan:
    """A game that a killed manager left running. It gets `ask_seconds` to save the world.

    Its console was lost with its manager, so it takes no commands: SIGTERM makes it save the world
    and exit.
    """

    lock: ProcessLock
    jobs: Jobs
    ask_seconds: float
    _ending: asyncio.Task[None] | None = field(default=None, init=False)

    @property
    def exists(self) -> bool:
        """Whether such a game is being ended."""
        return self._ending is not None

    def end(self, on_exit: Callable[[str], None]) -> None:
        """Begin to end it; `on_exit` receives a sentence about how it ended."""
        self._ending = self.jobs.start(self._end(on_exit), name="orphan")

    async def wait(self) -> None:
        """Return when it is gone, or there was none."""
        if self._ending is not None:
            await asyncio.wait({self._ending})

    async def kill(self) -> None:
        """End it at once, without saving the world."""
        if self._ending is not None:
            await self.lock.signal_holders(signal.SIGKILL)

    async def _end(self, on_exit: Callable[[str], None]) -> None:
        structlog.get_logger().warning("orphan_found")
        try:
            await self.lock.signal_holders(signal.SIGTERM)
            outcome = "was stopped; the world is saved"
            if not await self.lock.is_released_within(self.ask_seconds):
                await self.lock.signal_holders(signal.SIGKILL)
                await self.lock.is_released_within(KILL_SECONDS)
                outcome = "had to be killed"
            on_exit(f"The game that an earlier manager left running {outcome}.")
        finally:
            self._ending = None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
