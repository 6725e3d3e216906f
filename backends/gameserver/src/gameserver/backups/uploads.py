"""A backup that comes from elsewhere: taken in only after all of it was checked."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bedplate import ids
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import BadRequest
from gameserver.backups.apart import perform
from gameserver.backups.backups import Counted, Occasion, describe
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.jobs import Unpack
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.stores import ARCHIVE
from gameserver.backups.streams import write_stream
from gameserver.disk import MARGIN, free_bytes, remove_tree, require_room
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations

_USUAL_GROWTH: Final = 3


class Uploads:
    """Takes in archives; `most_bytes` is the largest one, `most_unpacked` what it may unpack to."""

    def __init__(
        self,
        layout: Layout,
        catalogue: Catalogue,
        operations: Operations,
        *,
        most_bytes: int,
        most_unpacked: int,
    ) -> None:
        self._layout = layout
        self._catalogue = catalogue
        self._operations = operations
        self._most_bytes = most_bytes
        self._most_unpacked = most_unpacked

    async def receive(
        self, chunks: AsyncIterator[bytes], *, declared: int | None, by: str
    ) -> Operation:
        """Write an archive to disk as it comes, and begin to check it; return the operation.

        `declared` is its size in bytes, if known. Raises `BadRequest`, `ContentTooLarge`,
        `InsufficientStorage`.
        """
        room = (declared or 0) * _USUAL_GROWTH
        await asyncio.to_thread(require_room, self._layout.staging, room)
        staged = self._layout.staging / f"upload-{ids.token(8)}"
        await asyncio.to_thread(staged.mkdir)
        try:
            archive = staged / ARCHIVE
            await write_stream(chunks, archive, most_bytes=self._most_bytes, told=lambda _: None)
            await asyncio.to_thread(_refuse_nothing, archive)

            async def work(progress: Progress) -> dict[str, str]:
                try:
                    return {"backup": (await self._take_in(staged, by, progress)).id}
                finally:
                    await finish_in_thread(lambda: remove_tree(staged))

            return await self._operations.start(OperationKind.UPLOAD, work, by=by)
        except BaseException:
            await finish_in_thread(lambda: remove_tree(staged))
            raise

    async def _take_in(self, staged: Path, by: str, progress: Progress) -> Backup:
        archive, data = staged / ARCHIVE, staged / "data"
        size = (await asyncio.to_thread(archive.stat)).st_size
        free = await asyncio.to_thread(free_bytes, self._layout.staging)
        most = min(self._most_unpacked, int(free / MARGIN))
        told = Counted(progress.part(0, 0.9), max(1, size * _USUAL_GROWTH), "Checking the backup")
        job = Unpack(archive=archive, target=data, most_bytes=most)
        outcome = await perform(job, size * _USUAL_GROWTH, told)
        manifest = outcome.archived
        await finish_in_thread(lambda: remove_tree(data))
        note = f"Made {manifest.created_at:%Y-%m-%d %H:%M} UTC ({manifest.kind})"
        backup = await describe(outcome, archive, Occasion(BackupKind.UPLOADED, by, note))
        await self._catalogue.add(backup, staged)
        return backup


def _refuse_nothing(archive: Path) -> None:
    if archive.stat().st_size == 0:
        raise BadRequest("The request has no body: send the archive as it is.")
