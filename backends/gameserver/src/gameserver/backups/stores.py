"""Where backups are kept: the interface that every store has, and the local one."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Protocol

import anyio
import structlog

from bedplate.documents import Document, DocumentError
from bedplate.documents.threads import finish_in_thread
from gameserver.archives.reading import CHUNK
from gameserver.backups.exceptions import BackupNotFound
from gameserver.backups.schemas import ID_PATTERN, Backup

ARCHIVE: Final = "backup.tar.zst"
RECORD: Final = "record.json"
_ID: Final = re.compile(ID_PATTERN)
_MAX_RECORD_BYTES: Final = 16 << 20

Told = Callable[[int], None]


class Store(Protocol):
    """Keeps finished backups. Each method raises `BackupNotFound` for an id it doesn't keep."""

    async def list(self) -> list[Backup]:
        """Return every backup that stands whole in here, in no order."""
        ...

    async def get(self, backup_id: str) -> Backup:
        """Return one."""
        ...

    async def put(self, backup: Backup, staged: Path, told: Told) -> None:
        """Keep a backup whose archive lies in the folder `staged`; whole, or not at all."""
        ...

    async def update(self, backup: Backup) -> None:
        """Keep what changed of a backup's record."""
        ...

    def read(self, backup_id: str) -> AsyncIterator[bytes]:
        """Yield a backup's archive, in portions of some megabytes at most."""
        ...

    async def delete(self, backup_id: str) -> None:
        """Forget a backup and its archive."""
        ...


def is_backup_id(text: str) -> bool:
    """Return whether a text has the form of a backup's id, and so is safe as a folder's name."""
    return _ID.fullmatch(text) is not None


class LocalStore:
    """A folder for each backup, with its archive and its record; it gets its name when whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def archive(self, backup_id: str) -> Path:
        """Return where a backup's archive lies, or would. Raises `BackupNotFound` for a non-id."""
        return self._place(backup_id) / ARCHIVE

    async def list(self) -> "list[Backup]":
        """Return every backup that is readable; others are named in the log and left alone."""
        names = await asyncio.to_thread(os.listdir, self._folder)
        found = []
        for name in sorted(filter(is_backup_id, names)):
            try:
                found.append(await self.get(name))
            except (BackupNotFound, DocumentError) as error:
                structlog.get_logger().warning("backup_unreadable", backup=name, reason=str(error))
        return found

    async def get(self, backup_id: str) -> Backup:
        """Return one. Raises `BackupNotFound`, `DocumentError`."""
        if not await asyncio.to_thread(self.archive(backup_id).is_file):
            raise BackupNotFound
        return await (await self._record(backup_id)).read()

    async def put(self, backup: Backup, staged: Path, told: Told) -> None:
        """Give a staged backup its record and then its name: one rename, after all is on disk."""
        await (await asyncio.to_thread(_record_in, staged)).write(backup)
        await finish_in_thread(lambda: _rename(staged, self._place(backup.id)))
        told(backup.bytes)

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
        """Remove a backup: first from its name, then from the disk. Raises `BackupNotFound`."""
        await self.get(backup_id)
        await finish_in_thread(lambda: self._remove(backup_id))

    async def tidy(self) -> None:
        """Remove what a killed deletion left. To be called at start."""
        await finish_in_thread(self._remove_remains)

    def _place(self, backup_id: str) -> Path:
        if not is_backup_id(backup_id):
            raise BackupNotFound
        return self._folder / backup_id

    async def _record(self, backup_id: str) -> Document[Backup]:
        # A document looks at its folder when it is made: on a busy disk that takes its time.
        return await asyncio.to_thread(_record_in, self._place(backup_id))

    def _remove(self, backup_id: str) -> None:
        going = self._folder / f".deleted-{backup_id}"
        self._place(backup_id).rename(going)
        shutil.rmtree(going, ignore_errors=True)

    def _remove_remains(self) -> None:
        for remains in self._folder.glob(".deleted-*"):
            shutil.rmtree(remains, ignore_errors=True)


def _record_in(folder: Path) -> Document[Backup]:
    def missing() -> Backup:
        raise BackupNotFound

    return Document(folder / RECORD, Backup, default=missing, max_bytes=_MAX_RECORD_BYTES)


def _rename(staged: Path, place: Path) -> None:
    staged.rename(place)
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
