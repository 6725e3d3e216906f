"""The feed of game versions: asked sparingly, bounded, and known from the cache when it is away."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import structlog

from bedplate import clock
from bedplate.documents import DamagedDocument, Document
from gameserver.outgoing.exceptions import FetchError
from gameserver.outgoing.fetching import Downloads
from gameserver.versions.downloads import fetch_document
from gameserver.versions.exceptions import FeedUnavailable, VersionNotOffered
from gameserver.versions.numbers import VersionNumber, is_version
from gameserver.versions.schemas import Channel, ChannelCache, FeedCache, OfferedVersion

_PLATFORM: Final = "linuxserver"
_MAX_VERSIONS: Final = 2_000
_MAX_URLS: Final = 4
_MAX_TEXT_LENGTH: Final = 200
_MAX_URL_LENGTH: Final = 1_000
_RETRY_SECONDS: Final = 30.0
_MD5: Final = re.compile("[0-9a-f]{32}")


class VersionFeed:
    """What versions there are.

    It is asked again after `fresh_seconds`. When it doesn't answer, or answers nonsense, what it
    said last counts, from a file that outlives the manager, and the feed is left alone for half a
    minute: who asks meanwhile doesn't wait for it, too.
    """

    def __init__(
        self,
        downloads: Downloads,
        url: str,
        cache: Document[FeedCache],
        *,
        fresh_seconds: float,
    ) -> None:
        self._downloads = downloads
        self._url = url.rstrip("/")
        self._cache = cache
        self._fresh = timedelta(seconds=fresh_seconds)
        self._one_at_a_time = asyncio.Lock()
        self._away_until = float("-inf")
        self.stale = False
        """Whether the feed didn't answer when it was last asked."""

    async def read(self, *, refresh: bool = False) -> FeedCache:
        """Return what is offered; with `refresh` the feed is asked however fresh that is.

        Raises `FeedUnavailable` when it doesn't answer and never did.
        """
        async with self._one_at_a_time:
            known = await self._known()
            if not refresh and known.fetched_at and clock.now() - known.fetched_at < self._fresh:
                return known
            if clock.monotonic() < self._away_until:
                return _last_said(known)
            try:
                fetched = await self._fetch(known)
            except (FetchError, ValueError) as error:
                structlog.get_logger().warning("version_feed_unavailable", reason=str(error))
                self.stale = True
                self._away_until = clock.monotonic() + _RETRY_SECONDS
                return _last_said(known)
            self.stale = False
            await self._cache.write(fetched)
            return fetched

    async def find(self, version: str) -> OfferedVersion:
        """Return what is offered of a version. Raises `VersionNotOffered`, `FeedUnavailable`."""
        for refresh in (False, True):
            for offered in offered_in(await self.read(refresh=refresh)):
                if offered.version == version:
                    return offered
        raise VersionNotOffered

    async def _known(self) -> FeedCache:
        try:
            return await self._cache.read()
        except DamagedDocument:
            return FeedCache()

    async def _fetch(self, known: FeedCache) -> FeedCache:
        channels = {}
        for channel in Channel:
            before = known.channels.get(channel, ChannelCache())
            url = f"{self._url}/{channel}.json"
            answer = await fetch_document(self._downloads, url, etag=before.etag)
            if answer is None:
                channels[channel] = before
            else:
                content, etag = answer
                versions = await asyncio.to_thread(_parse, content, channel)
                channels[channel] = ChannelCache(etag=etag, versions=versions)
        return FeedCache(fetched_at=clock.now(), channels=channels)


def _last_said(known: FeedCache) -> FeedCache:
    if known.fetched_at is None:
        raise FeedUnavailable
    return known


def offered_in(feed: FeedCache) -> list[OfferedVersion]:
    """Return the versions of all channels, the newest first."""
    found = {one.version: one for cache in feed.channels.values() for one in cache.versions}
    return sorted(found.values(), key=lambda one: VersionNumber.parse(one.version), reverse=True)


def _parse(content: bytes, channel: Channel) -> list[OfferedVersion]:
    """Return what a document offers; what isn't understood is left out. Raises ValueError."""
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("The feed nests too deeply.") from None
    if not isinstance(document, dict):
        raise ValueError("The feed is no object.")  # noqa: TRY004 - of what came, not of a call
    return list(_entries(document, channel))[:_MAX_VERSIONS]


def _entries(document: dict[str, Any], channel: Channel) -> Iterator[OfferedVersion]:
    for version, platforms in document.items():
        entry = platforms.get(_PLATFORM) if isinstance(platforms, dict) else None
        if is_version(version) and isinstance(entry, dict):
            offered = _entry(version, channel, entry)
            if offered is not None:
                yield offered


def _entry(version: str, channel: Channel, entry: dict[str, Any]) -> OfferedVersion | None:
    md5, urls = str(entry.get("md5", "")).lower(), entry.get("urls")
    places = urls.values() if isinstance(urls, dict) else ()
    usable = [url for url in places if isinstance(url, str) and len(url) <= _MAX_URL_LENGTH]
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
