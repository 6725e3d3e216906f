"""Backups in an S3-compatible object store (extra `s3`)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from pydantic import SecretStr, ValidationError

from gameserver.archives.unpacking import ProgressCallback
from gameserver.backups.exceptions import BackupNotFound, OffHostStoreUnavailable
from gameserver.backups.schemas import Backup
from gameserver.backups.stores import ARCHIVE, MAX_RECORD_BYTES, RECORD, is_backup_id

if TYPE_CHECKING:
    from obstore.store import S3Store as ObjectStore

_PART_BYTES: Final = 8 << 20
_MAX_PARALLEL_READS: Final = 8


@dataclass(frozen=True)
class S3Location:
    """Where the objects are. Without keys the machine's own are used (role, environment).

    endpoint   URL of a store that isn't Amazon's; without TLS if it begins with http
    """

    bucket: str
    prefix: str
    region: str
    endpoint: str | None = None
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    request_seconds: float = 60.0

    def open(self) -> "ObjectStore":
        """Return a client of the store; it sends no request yet."""
        from obstore.store import S3Store as ObjectStore  # noqa: PLC0415 - an extra

        keys: dict[str, str] = {}
        if self.access_key is not None and self.secret_key is not None:
            keys["access_key_id"] = self.access_key.get_secret_value()
            keys["secret_access_key"] = self.secret_key.get_secret_value()
        if self.endpoint is not None:
            keys["endpoint"] = self.endpoint
        return ObjectStore(
            self.bucket,
            prefix=self.prefix or None,
            region=self.region,
            client_options={
                "allow_http": (self.endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(seconds=self.request_seconds),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
            **keys,  # type: ignore[arg-type]  # the names are obstore's own
        )


class S3Store:
    """`<id>/backup.tar.zst` and, written last, `<id>/record.json`: without it there is no backup.

    Archives are uploaded in parts and downloaded in ranges of 8 MiB, so memory stays small and no
    request lasts long. Every method raises `OffHostStoreUnavailable` when the store doesn't answer.
    """

    def __init__(self, location: S3Location) -> None:
        self._objects = location.open()

    async def list(self) -> "list[Backup]":
        """Return every backup with a readable record."""
        import obstore  # noqa: PLC0415 - an extra

        with _translated_errors():
            listing = await obstore.list_with_delimiter_async(self._objects)
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
        import obstore  # noqa: PLC0415 - an extra

        with _translated_errors():
            answer = await obstore.get_async(self._objects, _key(backup_id, RECORD))
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
        import obstore  # noqa: PLC0415 - an extra

        with _translated_errors():
            chunks = _chunks_of(staged / ARCHIVE, on_progress)
            await obstore.put_async(
                self._objects,
                _key(backup.id, ARCHIVE),
                chunks,
                chunk_size=_PART_BYTES,
                max_concurrency=2,
            )
        await self.update(backup)

    async def update(self, backup: Backup) -> None:
        """Write a backup's record."""
        import obstore  # noqa: PLC0415 - an extra

        content = backup.model_dump_json().encode()
        with _translated_errors():
            await obstore.put_async(self._objects, _key(backup.id, RECORD), content)

    async def read(self, backup_id: str) -> AsyncIterator[bytes]:
        """Yield an archive. Raises `BackupNotFound`."""
        import obstore  # noqa: PLC0415 - an extra

        key = _key(backup_id, ARCHIVE)
        with _translated_errors():
            size = (await obstore.head_async(self._objects, key))["size"]
        for start in range(0, size, _PART_BYTES):
            end = min(start + _PART_BYTES, size)
            with _translated_errors():
                part = await obstore.get_range_async(self._objects, key, start=start, end=end)
            yield bytes(part)

    async def delete(self, backup_id: str) -> None:
        """Delete the record first: without it, the rest of an interrupted deletion is no backup."""
        import obstore  # noqa: PLC0415 - an extra

        with _translated_errors():
            for name in (RECORD, ARCHIVE):
                await obstore.delete_async(self._objects, _key(backup_id, name))


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
