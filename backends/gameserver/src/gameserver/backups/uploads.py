import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate import clock, ids
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import BadRequest
from gameserver.archives.exceptions import ArchiveError
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.jobs import CheckWorld, Pack, Unpack
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.service import BackupRequest, record_of
from gameserver.backups.stores import ARCHIVE
from gameserver.backups.worker_process import perform
from gameserver.backups.worlds import SQLITE_MAGIC, remove_copy
from gameserver.disk import MARGIN, remove_tree, require_room, write_stream
from gameserver.layout import Layout
from gameserver.locations import world_file
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.settings import GameServerSettings

_USUAL_GROWTH: Final = 3
_FOREIGN: Final = {
    b"PK\x03\x04": "a zip file",
    b"\x1f\x8b": "a gzip file (.tar.gz)",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7z file",
    b"Rar!": "a rar file",
}


@dataclass(eq=False)
class Uploads:
    """Takes in archives and bare worlds from elsewhere, once all of their content is checked.

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
        if await asyncio.to_thread(_is_world, staged / ARCHIVE):
            return await self._pack_and_add(staged, by, progress)
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

    async def _pack_and_add(self, staged: Path, by: str, progress: Progress) -> Backup:
        """Make a backup of a world that was uploaded as it is: somebody brings their own."""
        archive = staged / ARCHIVE
        name = (await asyncio.to_thread(world_file, self.layout)).name
        world = await asyncio.to_thread(archive.rename, staged / name)
        size = (await asyncio.to_thread(world.stat)).st_size
        await asyncio.to_thread(require_room, self.layout.staging, size)
        progress.report(0, "Checking the world")
        await perform(CheckWorld(world_copy=world), size)
        job = Pack(
            archive=archive,
            world_copy=world,
            server_data=self.layout.server_data,
            kind=BackupKind.UPLOADED,
            created_at=clock.now(),
            game_version=None,
            world=name,
            world_only=True,
        )
        outcome = await perform(job, size, progress.part(0.3, 0.9).counter(size, "Packing"))
        await finish_in_thread(lambda: remove_copy(world))
        request = BackupRequest(BackupKind.UPLOADED, by, "A world without anything else")
        backup = await record_of(outcome, archive, request)
        await self.catalogue.add(backup, staged)
        return backup


def _is_world(upload: Path) -> bool:
    """Return whether it is a world. Raises `ArchiveError` for archives that hold none for us."""
    with upload.open("rb") as file:
        head = file.read(len(SQLITE_MAGIC))
    for magic, kind in _FOREIGN.items():
        if head.startswith(magic):
            raise ArchiveError(
                f"This is {kind}, not a backup of this manager. Unpack it, and upload the world in "
                "it, a .vcdbs file, as it is."
            )
    return head == SQLITE_MAGIC


def _refuse_empty(archive: Path) -> None:
    if archive.stat().st_size == 0:
        raise BadRequest("The request has no body: send the archive as it is.")
