"""The parts of versions, put together in the lifespan."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2

from bedplate.backend import Resources
from bedplate.documents import Document
from bedplate.tls import trusted
from gameserver.archives.reading import Limits
from gameserver.backups.opening import BackupParts
from gameserver.layout import Layout
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver.settings import GameServerSettings
from gameserver.versions.downloads import DOCUMENT_BOUNDS, GameDownloads
from gameserver.versions.feed import VersionFeed
from gameserver.versions.installing import Installer
from gameserver.versions.schemas import FeedCache
from gameserver.versions.switching import Switching
from gameserver.versions.versions import Versions

_MAX_FILES = 100_000


@dataclass(frozen=True)
class VersionParts:
    """What lists and installs versions, and what switches between them."""

    versions: Versions
    switching: Switching


@contextlib.asynccontextmanager
async def open_versions(
    settings: GameServerSettings, resources: Resources
) -> AsyncIterator[VersionParts]:
    """Yield the parts."""
    async with httpx2.AsyncClient(verify=trusted()) as client:
        yield make_versions(settings, resources, client)


def make_versions(
    settings: GameServerSettings, resources: Resources, client: httpx2.AsyncClient
) -> VersionParts:
    """Return the parts; nothing is asked yet."""
    layout: Layout = resources["layout"]
    backups: BackupParts = resources["backups"]
    game, installed = resources["game"], resources["installed"]
    operations, events = resources["operations"], resources["events"]
    url = resources["stand_ins"].version_feed or settings.version_feed_url
    hosts = frozenset(host.lower() for host in settings.version_hosts)
    sources = Sources(url, hosts, any_port=True)
    cache = Document(layout.cache / "versions.json", FeedCache, default=FeedCache)
    feed = VersionFeed(
        Downloads(client, sources, DOCUMENT_BOUNDS),
        url,
        cache,
        fresh_seconds=settings.version_feed_fresh_seconds,
    )
    bounds = Bounds(settings.version_archive_bytes, settings.version_download_seconds)
    downloads = GameDownloads(Downloads(client, sources, bounds))
    unpacked = settings.version_unpacked_bytes
    installer = Installer(layout, installed, downloads, Limits(_MAX_FILES, unpacked, unpacked))
    versions = Versions(layout, installed, feed, installer, operations)
    switching = Switching(
        layout,
        game,
        versions,
        installed,
        backups.making,
        backups.restores,
        operations,
        events,
        ready_seconds=settings.version_ready_seconds,
    )
    return VersionParts(versions, switching)
