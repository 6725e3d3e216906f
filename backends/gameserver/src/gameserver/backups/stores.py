"""The local store of backups; `s3.S3Store` has the same methods."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import anyio
import structlog

from bedplate.documents import Document, DocumentError
from bedplate.documents.atomic import sync_folder
from bedplate.documents.threads import finish_in_thread
from gameserver.archives.unpacking import CHUNK, ProgressCallback
from gameserver.backups.exceptions import BackupNotFound
from gameserver.backups.schemas import ID_PATTERN, Backup

ARCHIVE: Final = "backup.tar.zst"
RECORD: Final = "record.json"
MAX_RECORD_BYTES: Final = 16 << 20
_ID: Final = re.compile(ID_PATTERN)


def is_backup_id(text: str) -> bool:
    """Return whether a text has the form of a backup's id, and so is safe as a folder's name."""
    return _ID.fullmatch(text) is not None


class LocalStore:
    """A folder for each backup with its archive and record; it gets its name once complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def archive(self, backup_id: str) -> Path:
        """Return the path of a backup's archive. Raises `BackupNotFound` for what is no id."""
        return self._path(backup_id) / ARCHIVE

    async def list(self) -> "list[Backup]":
        """Return every readable backup; the log names the others, which are left alone."""
        names = await asyncio.to_thread(os.listdir, self._folder)
        backups = []
        for name in sorted(filter(is_backup_id, names)):
            try:
                backups.append(await self.get(name))
            except (BackupNotFound, DocumentError) as error:
                structlog.get_logger().warning("backup_unreadable", backup=name, reason=str(error))
        return backups

    async def get(self, backup_id: str) -> Backup:
        """Return one backup. Raises `BackupNotFound`, `DocumentError`."""
        if not await asyncio.to_thread(self.archive(backup_id).is_file):
            raise BackupNotFound
        return await (await self._record(backup_id)).read()

    async def put(self, backup: Backup, staged: Path, on_progress: ProgressCallback) -> None:
        """Write the record, then rename the staged folder: one rename, once all is on disk."""
        await (await asyncio.to_thread(_record_in, staged)).write(backup)
        await finish_in_thread(lambda: _rename(staged, self._path(backup.id)))
        on_progress(backup.bytes)

    async def update(self, backup: Backup) -> None:
        """Write a backup's record. Raises `BackupNotFound`."""
        await self.get(backup.id)
        await (await self._record(backup.id)).write(backup)

    async def read(self, backup_id: str) -> AsyncIterator[bytes]:
        """Yield the archive. Raises `BackupNotFound`."""
        await self.get(backup_id)
        async with await anyio.open_file(self.archive(backup_id), "rb") as file:
            while chunk := await file.read(CHUNK):
                yield chunk

    async def delete(self, backup_id: str) -> None:
        """Rename a backup, then remove it from the disk. Raises `BackupNotFound`."""
        await self.get(backup_id)
        await finish_in_thread(lambda: self._remove(backup_id))

    def tidy(self) -> None:
        """Remove what killed deletions left. Blocking; to be called at start."""
        for deleted in self._folder.glob(".deleted-*"):
            shutil.rmtree(deleted, ignore_errors=True)

    def _path(self, backup_id: str) -> Path:
        if not is_backup_id(backup_id):
            raise BackupNotFound
        return self._folder / backup_id

    async def _record(self, backup_id: str) -> Document[Backup]:
        # Creating a document reads its folder, which takes time on a busy disk.
        return await asyncio.to_thread(_record_in, self._path(backup_id))

    def _remove(self, backup_id: str) -> None:
        deleted = self._folder / f".deleted-{backup_id}"
        self._path(backup_id).rename(deleted)
        shutil.rmtree(deleted, ignore_errors=True)


def _record_in(folder: Path) -> Document[Backup]:
    def missing() -> Backup:
        raise BackupNotFound

    return Document(folder / RECORD, Backup, default=missing, max_bytes=MAX_RECORD_BYTES)


def _rename(staged: Path, path: Path) -> None:
    staged.rename(path)
    sync_folder(path.parent)
