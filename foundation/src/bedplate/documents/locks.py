"""One lock for each path, whoever asks for it in this process."""

import asyncio
from pathlib import Path
from weakref import WeakValueDictionary

_locks: "WeakValueDictionary[Path, PathLock]" = WeakValueDictionary()


class PathLock:
    """Admits one task at a time; a task that would wait for itself gets a RuntimeError instead."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[object] | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if self._owner is task:
            raise RuntimeError(f"{self._path} is being changed by this very task.")
        await self._lock.acquire()
        self._owner = task

    async def __aexit__(self, *_: object) -> None:
        self._owner = None
        self._lock.release()


def lock_of(path: Path) -> PathLock:
    """Return the lock of a path: the same for every spelling of its folder.

    It belongs to one event loop at a time. Keep what is returned: without a holder it is forgotten.
    """
    actual = path.parent.resolve() / path.name
    return _locks.setdefault(actual, PathLock(actual))
