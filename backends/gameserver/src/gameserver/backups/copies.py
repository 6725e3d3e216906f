"""Off-host copies of backups: made afterwards, in the background, never in a backup's way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from bedplate import clock
from bedplate.problems import ProblemError
from gameserver.backups.exceptions import BackupNotFound, CopiesUnavailable
from gameserver.backups.schemas import Backup, CopyState
from gameserver.backups.stores import LocalStore, Store
from gameserver.operations.exceptions import OperationInterrupted
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import OperationKind
from gameserver.operations.service import Operations

_LISTED_SECONDS: Final = 60.0
_LISTING_SECONDS: Final = 10.0


class Copies:
    """Keeps a copy of each backup in a second store, when there is one.

    A copy that failed is tried again at the manager's next start. Whatever happens to a copy, the
    local backup stands.
    """

    def __init__(self, local: LocalStore, remote: Store | None, operations: Operations) -> None:
        self._local = local
        self._remote = remote
        self._operations = operations
        self._one_at_a_time = asyncio.Lock()
        self._listed: list[Backup] | None = None
        self._listed_at = 0.0

    async def begin(self, backup: Backup) -> None:
        """Begin to copy a backup; an operation shows how far it is."""
        if self._remote is None:
            return
        remote = self._remote
        await self._mark(backup.id, CopyState.WAITING)

        async def work(progress: Progress) -> dict[str, str]:
            async with self._one_at_a_time:
                await self._copy(backup.id, remote, progress)
            return {"backup": backup.id}

        with contextlib.suppress(OperationInterrupted):
            await self._operations.start(OperationKind.COPY, work, by=backup.by)

    async def resume(self) -> None:
        """Begin every copy again that isn't done: the manager was away, or the store was."""
        for backup in await self._local.list():
            if self._remote is not None and backup.off_host is not CopyState.DONE:
                await self.begin(backup)

    async def only_elsewhere(self) -> list[Backup]:
        """Return what the second store holds, marked as being there alone; at most a minute old.

        Nothing when it can't be reached: what is here must be listed all the same.
        """
        if self._remote is None:
            return []
        if self._listed is None or clock.monotonic() - self._listed_at > _LISTED_SECONDS:
            self._listed = await self._list(self._remote)
            self._listed_at = clock.monotonic()
        return [_remote_only(one) for one in self._listed]

    async def _list(self, remote: Store) -> list[Backup]:
        try:
            async with asyncio.timeout(_LISTING_SECONDS):
                return await remote.list()
        except (CopiesUnavailable, TimeoutError) as error:
            structlog.get_logger().warning("copies_unavailable", reason=str(error))
            return []

    async def get(self, backup_id: str) -> Backup:
        """Return a backup of the second store. Raises `BackupNotFound`, `CopiesUnavailable`."""
        if self._remote is None:
            raise BackupNotFound
        return _remote_only(await self._remote.get(backup_id))

    def read(self, backup: Backup) -> AsyncIterator[bytes]:
        """Yield a backup's archive, from here or from the second store."""
        if self._remote is None or backup.local:
            return self._local.read(backup.id)
        return self._remote.read(backup.id)

    async def update(self, backup: Backup) -> None:
        """Keep what changed of a record in the second store too, where there is a copy."""
        if self._remote is not None and backup.off_host is CopyState.DONE:
            with contextlib.suppress(BackupNotFound):
                await self._remote.update(backup)
                self._listed = None

    async def delete(self, backup: Backup) -> None:
        """Delete the copy. Raises `CopiesUnavailable`; then nothing is deleted anywhere."""
        if self._remote is not None and backup.off_host is not None:
            with contextlib.suppress(BackupNotFound):
                await self._remote.delete(backup.id)
                self._listed = None

    async def _copy(self, backup_id: str, remote: Store, progress: Progress) -> None:
        backup = await self._local.get(backup_id)
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            progress.report(done / max(1, backup.bytes), "Copying off-host")

        try:
            await remote.put(backup, self._local.archive(backup_id).parent, told)
        except ProblemError:
            await self._mark(backup_id, CopyState.FAILED)
            raise
        self._listed = None
        await self._mark(backup_id, CopyState.DONE)

    async def _mark(self, backup_id: str, state: CopyState) -> None:
        with contextlib.suppress(BackupNotFound):
            backup = await self._local.get(backup_id)
            await self._local.update(backup.model_copy(update={"off_host": state}))


def _remote_only(backup: Backup) -> Backup:
    return backup.model_copy(update={"local": False, "off_host": CopyState.DONE})
