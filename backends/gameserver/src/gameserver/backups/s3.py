"""Backups in an S3-compatible object store (extra `s3`)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import anyio
from pydantic import ValidationError

from gameserver.archives.unpacking import ProgressCallback
from gameserver.backups.exceptions import BackupNotFound, OffHostStoreUnavailable
from gameserver.backups.schemas import Backup
from gameserver.backups.stores import ARCHIVE, MAX_RECORD_BYTES, RECORD, is_backup_id
from gameserver.settings import GameServerSettings

_PART_BYTES: Final = 8 << 20
_MAX_PARALLEL_READS: Final = 8


class S3Store:
    """`<id>/backup.tar.zst` and, written last, `<id>/record.json`: without it there is no backup.

    Archives are uploaded in parts and downloaded in ranges of 8 MiB, so memory stays small and no
    request lasts long. Every method raises `OffHostStoreUnavailable` when the store doesn't answer.
    """

    def __init__(self, settings: GameServerSettings) -> None:
        """Create a client, which sends no request yet.

        Without keys the machine's own are used (role, environment). An endpoint that begins with
        http is used without TLS.
        """
        from obstore.store import S3Store as ObjectStore  # noqa: PLC0415 - an extra

        key, secret = settings.backup_s3_access_key, settings.backup_s3_secret_key
        endpoint = settings.backup_s3_endpoint
        options: dict[str, str] = {}
        if key is not None and secret is not None:
            options["access_key_id"] = key.get_secret_value()
            options["secret_access_key"] = secret.get_secret_value()
        if endpoint is not None:
            options["endpoint"] = endpoint
        self._objects = ObjectStore(
            settings.backup_s3_bucket,
            prefix=settings.backup_s3_prefix or None,
            region=settings.backup_s3_region,
            client_options={
                "allow_http": (endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
            **options,  # type: ignore[arg-type]  # the names are obstore's own
        )

    async def list(self) -> "list[Backup]":
        """Return every backup with a readable record."""
        with _translated_errors():
            listing = await self._objects.list_with_delimiter_async()
        ids = [name for path in listing["common_prefixes"] if is_backup_id(name := path.strip("/"))]
        limit = asyncio.Semaphore(_MAX_PARALLEL_READS)

        async def get(backup_id: str) -> Backup | None:
            async with limit:
                try:
                    return await self.get(backup_id)
                except BackupNotFound:
                    return None

        return [backup for backup in await asyncio.gather(*map(get, ids)) if backup is not None]

    async def get(self, backup_id: str) -> Backup:
        """Return one backup. Raises `BackupNotFound`."""
        with _translated_errors():
            answer = await self._objects.get_async(_key(backup_id, RECORD))
            if answer.meta["size"] > MAX_RECORD_BYTES:
                raise BackupNotFound
            content = bytes(await answer.bytes_async())
        try:
            backup = Backup.model_validate_json(content)
        except ValidationError:
            raise BackupNotFound from None
        if backup.id != backup_id:
            raise BackupNotFound
        return backup

    async def put(self, backup: Backup, staged: Path, on_progress: ProgressCallback) -> None:
        """Upload an archive in parts, then its record."""
        with _translated_errors():
            await self._objects.put_async(
                _key(backup.id, ARCHIVE),
                _chunks_of(staged / ARCHIVE, on_progress),
                chunk_size=_PART_BYTES,
                max_concurrency=2,
            )
        await self.update(backup)

    async def update(self, backup: Backup) -> None:
        """Write a backup's record."""
        content = backup.model_dump_json().encode()
        with _translated_errors():
            await self._objects.put_async(_key(backup.id, RECORD), content)

    async def read(self, backup_id: str) -> AsyncIterator[bytes]:
        """Yield an archive. Raises `BackupNotFound`."""
        key = _key(backup_id, ARCHIVE)
        with _translated_errors():
            size = (await self._objects.head_async(key))["size"]
        for start in range(0, size, _PART_BYTES):
            end = min(start + _PART_BYTES, size)
            with _translated_errors():
                part = await self._objects.get_range_async(key, start=start, end=end)
            yield bytes(part)

    async def delete(self, backup_id: str) -> None:
        """Delete the record first: without it, the rest of an interrupted deletion is no backup."""
        with _translated_errors():
            for name in (RECORD, ARCHIVE):
                await self._objects.delete_async(_key(backup_id, name))


def _key(backup_id: str, name: str) -> str:
    if not is_backup_id(backup_id):
        raise BackupNotFound
    return f"{backup_id}/{name}"


async def _chunks_of(archive: Path, on_progress: ProgressCallback) -> AsyncIterator[bytes]:
    async with await anyio.open_file(archive, "rb") as file:
        while chunk := await file.read(_PART_BYTES):
            yield chunk
            on_progress(len(chunk))


@contextlib.contextmanager
def _translated_errors() -> Iterator[None]:
    """Turn the store's errors into ours, without their texts: those may contain keys."""
    from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415 - an extra

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise BackupNotFound from None
    except (BaseError, OSError) as error:
        raise OffHostStoreUnavailable from error
