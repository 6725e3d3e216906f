"""Off-host copies of backups: made afterwards, in the background, never in a backup's way."""

import asyncio
import contextlib
from pathlib import Path

import structlog

from bedplate.problems import ProblemError
from gameserver.backups.exceptions import BackupNotFound, CopiesUnavailable
from gameserver.backups.schemas import Backup, CopyState
from gameserver.backups.stores import LocalStore, Store
from gameserver.operations.exceptions import OperationInterrupted
from gameserver.operations.operations import Operations
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import OperationKind


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
        """Return the backups of the second store, marked as such; none when it's unreachable."""
        if self._remote is None:
            return []
        try:
            return [_remote_only(one) for one in await self._remote.list()]
        except CopiesUnavailable as error:
            structlog.get_logger().warning("copies_unavailable", reason=str(error.__cause__))
            return []

    async def get(self, backup_id: str) -> Backup:
        """Return a backup of the second store. Raises `BackupNotFound`, `CopiesUnavailable`."""
        if self._remote is None:
            raise BackupNotFound
        return _remote_only(await self._remote.get(backup_id))

    async def fetch(self, backup: Backup, target: Path, progress: Progress) -> None:
        """Bring an archive into the new file `target`, from here or from the second store."""
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            progress.report(done / max(1, backup.bytes))

        if backup.local:
            await self._local.fetch(backup.id, target, told)
        elif self._remote is not None:
            await self._remote.fetch(backup.id, target, told)
        else:
            raise BackupNotFound

    async def update(self, backup: Backup) -> None:
        """Keep what changed of a record in the second store too, where there is a copy."""
        if self._remote is not None and backup.off_host is CopyState.DONE:
            with contextlib.suppress(BackupNotFound):
                await self._remote.update(backup)

    async def delete(self, backup: Backup) -> None:
        """Delete the copy. Raises `CopiesUnavailable`; then nothing is deleted anywhere."""
        if self._remote is not None and backup.off_host is not None:
            with contextlib.suppress(BackupNotFound):
                await self._remote.delete(backup.id)

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
        await self._mark(backup_id, CopyState.DONE)

    async def _mark(self, backup_id: str, state: CopyState) -> None:
        with contextlib.suppress(BackupNotFound):
            backup = await self._local.get(backup_id)
            await self._local.update(backup.model_copy(update={"off_host": state}))


def _remote_only(backup: Backup) -> Backup:
    return backup.model_copy(update={"local": False, "off_host": CopyState.DONE})
