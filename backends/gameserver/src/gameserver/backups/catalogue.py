import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import structlog

from bedplate.documents import DocumentError
from bedplate.documents.threads import finish_in_thread
from bedplate.pagination import Page, page_of
from bedplate.problems import ProblemError
from gameserver.backups.exceptions import BackupInUse, BackupNotFound, OffHostStoreUnavailable
from gameserver.backups.off_host import OffHostCopies
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.stores import LocalStore
from gameserver.events import EventKind, Events


@dataclass(eq=False)
class Catalogue:
    """Every complete backup, local or only off-host.

    `keep` is the number of backups to keep of each kind. Adding one deletes the oldest beyond that
    and begins an off-host copy; neither can make the adding fail.
    """

    local: LocalStore
    copies: OffHostCopies
    events: Events
    keep: Mapping[BackupKind, int]
    _in_use: set[str] = field(default_factory=set, init=False)

    async def open(self) -> None:
        """Remove what killed deletions left, and go on with off-host copies. Called at start."""
        await finish_in_thread(self.local.tidy)
        await self.copies.resume()

    async def list(self) -> "list[Backup]":
        """Return every backup, newest first, including those that are only off-host."""
        backups = {backup.id: backup for backup in await self.copies.list()}
        backups |= {backup.id: backup for backup in await self.local.list()}
        return sorted(backups.values(), key=_key, reverse=True)

    async def page(self, *, after: str | None, limit: int) -> Page[Backup]:
        """Return backups, newest first. The one that `after` names may be deleted meanwhile."""
        backups = await self.list()
        return page_of(backups, key=_key, after=after, limit=limit, order="descending")

    async def get(self, backup_id: str) -> Backup:
        """Return one backup. Raises `BackupNotFound`, `OffHostStoreUnavailable`."""
        with contextlib.suppress(BackupNotFound):
            return await self.local.get(backup_id)
        return await self.copies.get(backup_id)

    def archive(self, backup: Backup) -> Path | AsyncIterator[bytes]:
        """Return the path of a local archive, or a stream of one that is only off-host."""
        return self.local.archive(backup.id) if backup.local else self.copies.read(backup)

    async def pin(self, backup_id: str, *, pinned: bool) -> Backup:
        """Protect a backup from deletion, or no longer. Raises what `get` raises."""
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
        if backup_id in self._in_use:
            raise BackupInUse("This backup is being restored.")
        await self.copies.delete(backup)
        if backup.local:
            await self.local.delete(backup_id)

    @contextlib.contextmanager
    def using(self, backup_id: str) -> Iterator[None]:
        """Keep a backup from being deleted during the context."""
        self._in_use.add(backup_id)
        try:
            yield
        finally:
            self._in_use.discard(backup_id)

    async def add(self, backup: Backup, staged: Path) -> None:
        """Add a complete archive, which is in a staged folder of its own."""
        await self.local.put(backup, staged, lambda _: None)
        size = backup.bytes // 1_000_000
        text = f"The backup of {backup.world} is complete ({backup.kind}, {size} MB)."
        self.events.publish(EventKind.BACKUP_FINISHED, text, backup=backup.id, bytes=backup.bytes)
        try:
            await self.copies.begin(backup)
        except DocumentError as error:  # the disk has become full; the next start begins it again
            structlog.get_logger().warning("copy_not_begun", backup=backup.id, reason=str(error))
        await self.prune()

    async def prune(self) -> tuple[str, ...]:
        """Delete the backups beyond the numbers to keep, and return their ids.

        The log names what can't be deleted; the next call tries again.
        """
        deleted = []
        for backup in surplus(await self.list(), self.keep):
            try:
                await self._prune_one(backup)
                deleted.append(backup.id)
            except (ProblemError, OSError) as error:
                reason = str(error)
                structlog.get_logger().warning("backup_not_pruned", backup=backup.id, reason=reason)
        return tuple(deleted)

    async def _prune_one(self, backup: Backup) -> None:
        """Delete a backup; while the remote store is down, only locally: else the disk fills up.

        The remote copy is pruned once the store is back, since it is listed then.
        """
        try:
            await self.delete(backup.id)
        except OffHostStoreUnavailable:
            if not backup.local:
                raise
            await self.local.delete(backup.id)


def surplus(backups: Iterable[Backup], keep: Mapping[BackupKind, int]) -> list[Backup]:
    """Return the backups beyond the number to keep of each kind, oldest first.

    Pinned backups neither count nor go. The newest of each kind always stays.
    """
    unpinned = sorted((backup for backup in backups if not backup.pinned), key=_key)
    by_kind = {kind: [backup for backup in unpinned if backup.kind is kind] for kind in BackupKind}
    return [
        backup for kind, of_kind in by_kind.items() for backup in of_kind[: -max(1, keep[kind])]
    ]


def _key(backup: Backup) -> str:
    """Return a text that sorts by age."""
    return f"{backup.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f} {backup.id}"
