"""The feed of game versions: queried rarely, within bounds, and cached for when it is down."""

import asyncio
import contextlib
import json
import re
from datetime import timedelta
from typing import Any, Final

import structlog

from bedplate import clock
from bedplate.documents import Document
from bedplate.documents.exceptions import DocumentError
from gameserver.outgoing.exceptions import FetchError
from gameserver.outgoing.fetching import Bounds, Downloads, require_ok
from gameserver.version_numbers import is_version, version_key
from gameserver.versions.exceptions import FeedUnavailable, VersionNotOffered
from gameserver.versions.schemas import Channel, ChannelCache, FeedCache, OfferedVersion

DOCUMENT_BOUNDS: Final = Bounds(8 << 20, 20.0)
_NOT_MODIFIED: Final = 304
_MAX_VERSIONS: Final = 2_000
_MAX_URLS: Final = 4
_MAX_TEXT_LENGTH: Final = 200
_MAX_URL_LENGTH: Final = 1_000
_RETRY_SECONDS: Final = 30.0
_MD5: Final = re.compile("[0-9a-f]{32}")


class VersionFeed:
    """Reads which versions exist.

    An answer is used for `fresh_seconds`. If the feed doesn't answer, or answers nonsense, its last
    good answer is used, from a file that outlives the manager, and the feed gets no request for
    half a minute: callers in that time don't wait for it.
    """

    def __init__(
        self, downloads: Downloads, url: str, cache: Document[FeedCache], *, fresh_seconds: float
    ) -> None:
        self._downloads = downloads
        self._url = url.rstrip("/")
        self._cache = cache
        self._fresh = timedelta(seconds=fresh_seconds)
        self._lock = asyncio.Lock()
        self._down_until = float("-inf")
        self.stale = False
        """Whether the last request to the feed failed."""

    async def read(self, *, refresh: bool = False) -> FeedCache:
        """Return the offered versions; `refresh` asks the feed even if its last answer is fresh.

        Raises `FeedUnavailable` if the feed doesn't answer and never did.
        """
        async with self._lock:
            try:
                cached = await self._cache.read()
            except DocumentError:
                cached = FeedCache()
            if not refresh and cached.fetched_at and clock.now() - cached.fetched_at < self._fresh:
                return cached
            if clock.monotonic() >= self._down_until:
                try:
                    cached = await self._fetch(cached)
                except (FetchError, ValueError) as error:
                    structlog.get_logger().warning("version_feed_unavailable", reason=str(error))
                    self.stale = True
                    self._down_until = clock.monotonic() + _RETRY_SECONDS
                else:
                    self.stale = False
                    with contextlib.suppress(DocumentError):
                        await self._cache.write(cached)
            if cached.fetched_at is None:
                raise FeedUnavailable
            return cached

    async def find(self, version: str) -> OfferedVersion:
        """Return an offered version. Raises `VersionNotOffered`, `FeedUnavailable`."""
        for refresh in (False, True):
            for offered in offered_in(await self.read(refresh=refresh)):
                if offered.version == version:
                    return offered
        raise VersionNotOffered

    async def _fetch(self, cached: FeedCache) -> FeedCache:
        channels = {}
        for channel in Channel:
            before = cached.channels.get(channel, ChannelCache())
            headers = {"If-None-Match": before.etag} if before.etag else {}
            response, content = await self._downloads.read(f"{self._url}/{channel}.json", headers)
            if response.status_code == _NOT_MODIFIED and before.etag:
                channels[channel] = before
                continue
            require_ok(response)
            versions = await asyncio.to_thread(_parse, content, channel)
            channels[channel] = ChannelCache(etag=response.headers.get("etag"), versions=versions)
        return FeedCache(fetched_at=clock.now(), channels=channels)


def offered_in(feed: FeedCache) -> list[OfferedVersion]:
    """Return the versions of all channels, newest first."""
    versions = {item.version: item for cache in feed.channels.values() for item in cache.versions}
    return sorted(versions.values(), key=lambda item: version_key(item.version), reverse=True)


def _parse(content: bytes, channel: Channel) -> list[OfferedVersion]:
    """Return the versions in a document, without unusable entries. Raises ValueError."""
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("The feed nests too deeply.") from None
    if not isinstance(document, dict):
        raise ValueError("The feed is not a JSON object.")  # noqa: TRY004 - input, not a call
    offers = []
    for version, platforms in document.items():
        entry = platforms.get("linuxserver") if isinstance(platforms, dict) else None
        if is_version(version) and isinstance(entry, dict):
            offers.append(_offer(version, channel, entry))
    return [offer for offer in offers if offer is not None][:_MAX_VERSIONS]


def _offer(version: str, channel: Channel, entry: dict[str, Any]) -> OfferedVersion | None:
    md5, urls = str(entry.get("md5", "")).lower(), entry.get("urls")
    values = urls.values() if isinstance(urls, dict) else ()
    usable = [url for url in values if isinstance(url, str) and len(url) <= _MAX_URL_LENGTH]
    if not usable or not _MD5.fullmatch(md5):
        return None
    return OfferedVersion(
        version=version,
        channel=channel,
        latest=entry.get("latest") == 1,
        filename=_text(entry.get("filename")),
        size=_text(entry.get("filesize")),
        md5=md5,
        urls=usable[:_MAX_URLS],
    )


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable())[:_MAX_TEXT_LENGTH]
