"""Fetching from the game's hosts: the feed's documents, and archives from the first good place."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

from gameserver.outgoing.exceptions import FetchError
from gameserver.outgoing.fetching import Bounds, Downloads, Told, require_ok
from gameserver.versions.exceptions import DigestMismatch, DownloadFailed
from gameserver.versions.schemas import OfferedVersion

DOCUMENT_BOUNDS: Final = Bounds(most_bytes=8 << 20, seconds=20.0)
_NOT_MODIFIED: Final = 304


async def fetch_document(
    downloads: Downloads, url: str, *, etag: str | None
) -> tuple[bytes, str | None] | None:
    """Return a document and its ETag; None when it is the one with `etag`. Raises `FetchError`."""
    headers = {"If-None-Match": etag} if etag else {}
    content = bytearray()
    async with downloads.opened(url, headers) as response:
        if response.status_code == _NOT_MODIFIED and etag:
            return None
        require_ok(response)
        async for chunk in response.aiter_bytes():
            content += chunk
            downloads.bounds.check_size(len(content))
        return bytes(content), response.headers.get("etag")


class GameDownloads:
    """Fetches the game's archives."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    async def fetch(self, offered: OfferedVersion, target: Path, told: Told) -> None:
        """Write a version's archive into the new file `target`, from the first place that has it.

        `told` is told of the fraction that is there. Raises `DigestMismatch`, `DownloadFailed`.
        """
        failure: DigestMismatch | DownloadFailed = DownloadFailed("The feed names no place for it.")
        for url in offered.urls:
            try:
                await self._downloads.save(url, target, told)
                if await asyncio.to_thread(_md5_of, target) == offered.md5:
                    return
                failure = DigestMismatch()
            except FetchError as error:
                failure = DownloadFailed(f"The archive can't be had: {error}.")
            await asyncio.to_thread(target.unlink, missing_ok=True)
        raise failure


def _md5_of(path: Path) -> str:
    """Return a file's MD5, the only digest that the feed knows. Blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
