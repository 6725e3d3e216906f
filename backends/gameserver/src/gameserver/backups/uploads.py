import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate import ids
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import BadRequest
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.jobs import Unpack
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.service import BackupRequest, record_of
from gameserver.backups.stores import ARCHIVE
from gameserver.backups.worker_process import perform
from gameserver.disk import MARGIN, remove_tree, require_room, write_stream
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.settings import GameServerSettings

_USUAL_GROWTH: Final = 3


@dataclass(eq=False)
class Uploads:
    """Takes in archives from elsewhere, once all of their content is checked.

    The settings limit their bytes, packed and unpacked.
    """

    layout: Layout
    catalogue: Catalogue
    operations: Operations
    settings: GameServerSettings

    async def receive(
        self, chunks: AsyncIterator[bytes], *, declared: int | None, by: str
    ) -> Operation:
        """Write an archive to disk as it arrives, begin to check it, and return the operation.

        `declared` is its size in bytes, if known. Raises `BadRequest`, `ContentTooLarge`,
        `InsufficientStorage`.
        """
        room = (declared or 0) * _USUAL_GROWTH
        await asyncio.to_thread(require_room, self.layout.staging, room)
        staged = self.layout.staging / f"upload-{ids.token(8)}"
        await asyncio.to_thread(staged.mkdir)
        try:
            archive = staged / ARCHIVE
            await write_stream(chunks, archive, max_bytes=self.settings.backup_upload_bytes)
            await asyncio.to_thread(_refuse_empty, archive)

            async def work(progress: Progress) -> dict[str, str]:
                try:
                    return {"backup": (await self._check_and_add(staged, by, progress)).id}
                finally:
                    await finish_in_thread(lambda: remove_tree(staged))

            return await self.operations.start(OperationKind.UPLOAD, work, by=by)
        except BaseException:
            await finish_in_thread(lambda: remove_tree(staged))
            raise

    async def _check_and_add(self, staged: Path, by: str, progress: Progress) -> Backup:
        archive, data = staged / ARCHIVE, staged / "data"
        unpacked_size = (await asyncio.to_thread(archive.stat)).st_size * _USUAL_GROWTH
        free = (await asyncio.to_thread(shutil.disk_usage, self.layout.staging)).free
        max_bytes = min(self.settings.backup_unpacked_bytes, int(free / MARGIN))
        counter = progress.part(0, 0.9).counter(unpacked_size, "Checking the backup")
        job = Unpack(archive=archive, target=data, max_bytes=max_bytes)
        outcome = await perform(job, unpacked_size, counter)
        await finish_in_thread(lambda: remove_tree(data))
        manifest = outcome.archive_manifest
        note = f"Made {manifest.created_at:%Y-%m-%d %H:%M} UTC ({manifest.kind})"
        backup = await record_of(outcome, archive, BackupRequest(BackupKind.UPLOADED, by, note))
        await self.catalogue.add(backup, staged)
        return backup


def _refuse_empty(archive: Path) -> None:
    if archive.stat().st_size == 0:
        raise BadRequest("The request has no body: send the archive as it is.")
