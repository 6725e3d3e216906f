"""The backups that stand: listed, pinned, deleted, pruned."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from bedplate.documents import DocumentError
from bedplate.problems import ProblemError
from gameserver.backups.copies import Copies
from gameserver.backups.exceptions import BackupInUse, BackupNotFound, CopiesUnavailable
from gameserver.backups.retention import superfluous
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.stores import LocalStore
from gameserver.events import EventKind, Events


class Catalogue:
    """Every backup that stands whole, here or only off-host.

    `keep` says how many of each kind stay. When one is added, the oldest beyond that go and an
    off-host copy is begun; neither can make the adding fail.
    """

    def __init__(
        self, local: LocalStore, copies: Copies, events: Events, keep: Mapping[BackupKind, int]
    ) -> None:
        self.local = local
        self.copies = copies
        self._events = events
        self._keep = keep
        self._used: set[str] = set()

    async def list(self) -> list[Backup]:
        """Return every backup, the newest first; those that are only off-host are among them."""
        found = {one.id: one for one in await self.copies.only_elsewhere()}
        found |= {one.id: one for one in await self.local.list()}
        return sorted(found.values(), key=lambda one: (one.created_at, one.id), reverse=True)

    async def get(self, backup_id: str) -> Backup:
        """Return one backup. Raises `BackupNotFound`, `CopiesUnavailable`."""
        with contextlib.suppress(BackupNotFound):
            return await self.local.get(backup_id)
        return await self.copies.get(backup_id)

    async def pin(self, backup_id: str, *, pinned: bool) -> Backup:
        """Keep a backup from being deleted, or no longer. Raises what `get` raises."""
        backup = (await self.get(backup_id)).model_copy(update={"pinned": pinned})
        if backup.local:
            await self.local.update(backup)
        await self.copies.update(backup)
        return backup

    async def delete(self, backup_id: str) -> None:
        """Delete a backup, and its off-host copy. Raises `BackupInUse` and what `get` raises."""
        backup = await self.get(backup_id)
        if backup.pinned:
            raise BackupInUse("This backup is pinned; unpin it first.")
        if backup_id in self._used:
            raise BackupInUse("This backup is being restored.")
        await self.copies.delete(backup)
        if backup.local:
            await self.local.delete(backup_id)

    @contextlib.contextmanager
    def using(self, backup_id: str) -> Iterator[None]:
        """Keep a backup from being deleted meanwhile."""
        self._used.add(backup_id)
        try:
            yield
        finally:
            self._used.discard(backup_id)

    async def add(self, backup: Backup, staged: Path) -> None:
        """Take in an archive that lies whole in a staged folder of its own."""
        await self.local.put(backup, staged, lambda _: None)
        size = backup.bytes // 1_000_000
        text = f"A backup of {backup.world} stands ({backup.kind}, {size} MB)."
        self._events.publish(EventKind.BACKUP_FINISHED, text, backup=backup.id, bytes=backup.bytes)
        try:
            await self.copies.begin(backup)
        except DocumentError as error:  # the disk is full now; the next start begins it again
            structlog.get_logger().warning("copy_not_begun", backup=backup.id, reason=str(error))
        await self.prune()

    async def _forget(self, backup: Backup) -> None:
        """Delete a backup; while the second store is away, here alone: else the disk fills up.

        What stays there is pruned when it is back, since it is listed then.
        """
        try:
            await self.delete(backup.id)
        except CopiesUnavailable:
            if not backup.local:
                raise
            await self.local.delete(backup.id)

    async def prune(self) -> tuple[str, ...]:
        """Delete what is beyond the numbers that are kept; return the ids that went.

        What can't be deleted is named in the log, and stays for the next time.
        """
        gone = []
        for backup in superfluous(await self.list(), self._keep):
            try:
                await self._forget(backup)
                gone.append(backup.id)
            except (ProblemError, OSError) as error:
                reason = str(error)
                structlog.get_logger().warning("backup_kept", backup=backup.id, reason=reason)
        return tuple(gone)
