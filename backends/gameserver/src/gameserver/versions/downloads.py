"""Fetching from the game's hosts: bounded in size and time, and from nowhere else."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

from gameserver.versions.exceptions import DigestMismatch, DownloadFailed
from gameserver.versions.schemas import OfferedVersion

_LARGEST_DOCUMENT: Final = 8 << 20
_DOCUMENT_SECONDS: Final = 20.0
_SILENCE_SECONDS: Final = 30.0
_PORTION: Final = 1 << 20
_MOST_REDIRECTS: Final = 3
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class FetchError(Exception):
    """Something could not be fetched; the text says why, and holds nothing of the answer."""


@dataclass(frozen=True)
class Sources:
    """Where the game may come from.

    `feed` is the operator's own URL of the feed: its host may be plain HTTP. `hosts` are others,
    by name, and HTTPS only.
    """

    feed: str
    hosts: frozenset[str]

    def check(self, url: str) -> None:
        """Raise `FetchError` unless a URL is at one of the hosts. Redirects are checked alike."""
        try:
            parts, feed = urlsplit(url), urlsplit(self.feed)
            same = (parts.scheme, parts.netloc) == (feed.scheme, feed.netloc)
            named = parts.scheme == "https" and parts.hostname in self.hosts
            allowed = (same or named) and parts.username is None and parts.port != 0
        except ValueError:
            allowed = False
        if not allowed:
            raise FetchError("it lies at a host that is not allowed")


async def fetch_small(
    client: httpx2.AsyncClient, url: str, sources: Sources, *, etag: str | None
) -> tuple[bytes, str | None] | None:
    """Return a document and its ETag; None when it is the one with `etag`. Raises `FetchError`."""
    headers = {"If-None-Match": etag} if etag else {}
    content = bytearray()
    try:
        async with (
            asyncio.timeout(_DOCUMENT_SECONDS),
            _opened(client, url, sources, headers) as response,
        ):
            if response.status_code == _NOT_MODIFIED and etag:
                return None
            _require_ok(response)
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST_DOCUMENT:
                    raise FetchError("it is too large")
            return bytes(content), response.headers.get("etag")
    except TimeoutError:
        raise FetchError("it takes too long") from None


@dataclass(frozen=True)
class GameDownloads:
    """Fetches the game's archives. `most_bytes` and `seconds` bound each of them."""

    client: httpx2.AsyncClient
    sources: Sources
    most_bytes: int
    seconds: float

    async def fetch(
        self, offered: OfferedVersion, target: Path, told: Callable[[float], None]
    ) -> None:
        """Write a version's archive into the new file `target`, from the first place that has it.

        `told` is told of the fraction that is there. Raises `DigestMismatch`, `DownloadFailed`.
        """
        failure: DigestMismatch | DownloadFailed = DownloadFailed("The feed names no place for it.")
        for url in offered.urls:
            try:
                if await self._fetch(url, target, told) == offered.md5:
                    return
                failure = DigestMismatch()
            except FetchError as error:
                failure = DownloadFailed(f"The archive can't be had: {error}.")
            await asyncio.to_thread(target.unlink, missing_ok=True)
        raise failure

    async def _fetch(self, url: str, target: Path, told: Callable[[float], None]) -> str:
        """Write an archive and return its MD5, the only digest that the feed knows."""
        digest = hashlib.md5(usedforsecurity=False)
        try:
            async with (
                asyncio.timeout(self.seconds),
                _opened(self.client, url, self.sources, {"Accept-Encoding": "identity"}) as answer,
            ):
                _require_ok(answer)
                expected = _length(answer)
                size = 0
                with await asyncio.to_thread(target.open, "xb") as file:
                    async for chunk in answer.aiter_raw(_PORTION):
                        size += len(chunk)
                        if size > self.most_bytes:
                            raise FetchError("it is too large")
                        await asyncio.to_thread(file.write, chunk)
                        await asyncio.to_thread(digest.update, chunk)
                        told(size / max(expected, size))
        except TimeoutError:
            raise FetchError("it takes too long") from None
        return digest.hexdigest()


@asynccontextmanager
async def _opened(
    client: httpx2.AsyncClient, url: str, sources: Sources, headers: dict[str, str]
) -> AsyncIterator[httpx2.Response]:
    """Give the response at the end of redirects that stay at allowed hosts."""
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            sources.check(url)
            async with client.stream(
                "GET", url, headers=headers, follow_redirects=False, timeout=_SILENCE_SECONDS
            ) as response:
                if response.status_code not in _REDIRECTS:
                    yield response
                    return
                url = urljoin(url, response.headers.get("location", ""))
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise FetchError(f"its host does not deliver ({type(error).__name__})") from None
    raise FetchError("it is behind too many redirects")


def _require_ok(response: httpx2.Response) -> None:
    if response.status_code != _OK:
        raise FetchError(f"its host answers {response.status_code}")


def _length(response: httpx2.Response) -> int:
    declared = response.headers.get("content-length", "")
    return int(declared[:18]) if declared.isascii() and declared.isdigit() else 0
