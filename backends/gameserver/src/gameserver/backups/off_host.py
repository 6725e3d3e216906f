import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from bedplate import clock
from bedplate.problems import ProblemError
from gameserver.backups.exceptions import BackupNotFound, OffHostStoreUnavailable
from gameserver.backups.s3 import S3Store
from gameserver.backups.schemas import Backup, CopyState
from gameserver.backups.stores import LocalStore
from gameserver.operations.exceptions import OperationInterrupted
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import OperationKind
from gameserver.operations.service import Operations

_LIST_FRESH_SECONDS: Final = 60.0
_LIST_TIMEOUT_SECONDS: Final = 10.0

Store = LocalStore | S3Store
"""The interface that a local folder and an object store share: mypy checks each use for both."""


class OffHostCopies:
    """Keeps a copy of each backup in a remote store, if there is one, in the background.

    A copy that failed is tried again at the manager's next start. Whatever happens to a copy, the
    local backup stays.
    """

    def __init__(self, local: LocalStore, remote: Store | None, operations: Operations) -> None:
        self._local = local
        self._remote = remote
        self._operations = operations
        self._copying = asyncio.Lock()
        self._listed: list[Backup] | None = None
        self._listed_at = 0.0

    async def begin(self, backup: Backup) -> None:
        """Begin to copy a backup; an operation shows the progress."""
        if self._remote is None:
            return
        remote = self._remote
        await self._mark(backup.id, CopyState.WAITING)

        async def work(progress: Progress) -> dict[str, str]:
            async with self._copying:
                await self._copy(backup.id, remote, progress)
            return {"backup": backup.id}

        with contextlib.suppress(OperationInterrupted):
            await self._operations.start(OperationKind.COPY, work, by=backup.by)

    async def resume(self) -> None:
        """Begin every copy again that isn't done: the manager was down, or the store was."""
        for backup in await self._local.list():
            if backup.off_host is not CopyState.DONE:
                await self.begin(backup)

    async def list(self) -> "list[Backup]":
        """Return the backups in the remote store, as if only it had them; at most a minute old.

        Returns nothing when the store can't be reached: local backups must be listed all the same.
        """
        if self._remote is None:
            return []
        if self._listed is None or clock.monotonic() - self._listed_at > _LIST_FRESH_SECONDS:
            try:
                async with asyncio.timeout(_LIST_TIMEOUT_SECONDS):
                    self._listed = await self._remote.list()
            except (OffHostStoreUnavailable, TimeoutError) as error:
                reason = str(error) or type(error).__name__
                structlog.get_logger().warning("off_host_store_unavailable", reason=reason)
                self._listed = []
            self._listed_at = clock.monotonic()
        return [_remote_only(backup) for backup in self._listed]

    async def get(self, backup_id: str) -> Backup:
        """Return a backup off-host. Raises `BackupNotFound`, `OffHostStoreUnavailable`."""
        if self._remote is None:
            raise BackupNotFound
        return _remote_only(await self._remote.get(backup_id))

    def read(self, backup: Backup) -> AsyncIterator[bytes]:
        """Yield the archive of a backup that is only off-host."""
        return (self._remote or self._local).read(backup.id)

    async def update(self, backup: Backup) -> None:
        """Store a changed record in the remote store too, if it has a copy."""
        if self._remote is not None and backup.off_host is CopyState.DONE:
            with contextlib.suppress(BackupNotFound):
                await self._remote.update(backup)
                self._listed = None

    async def delete(self, backup: Backup) -> None:
        """Delete the copy. Raises `OffHostStoreUnavailable`; then nothing is deleted anywhere."""
        if self._remote is not None and backup.off_host is not None:
            with contextlib.suppress(BackupNotFound):
                await self._remote.delete(backup.id)
                self._listed = None

    async def _copy(self, backup_id: str, remote: Store, progress: Progress) -> None:
        backup = await self._local.get(backup_id)
        on_progress = progress.counter(backup.bytes, "Copying off-host")
        try:
            await remote.put(backup, self._local.archive(backup_id).parent, on_progress)
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
