import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import httpx2

from bedplate.documents import Document
from bedplate.state import from_state
from bedplate.tls import trusted
from gameserver.archives.reading import Limits
from gameserver.backups.wiring import BackupParts
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.operations.service import Operations
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.simulator import StandIns
from gameserver.versions.downloads import DOCUMENT_BOUNDS, GameDownloads
from gameserver.versions.feed import VersionFeed
from gameserver.versions.installation import Installed, installed_document
from gameserver.versions.installing import Installer
from gameserver.versions.recovery import recover_switch
from gameserver.versions.schemas import FeedCache
from gameserver.versions.switching import Switching
from gameserver.versions.versions import Versions

_MAX_FILES = 100_000


@dataclass(frozen=True)
class VersionParts:
    """What lists and installs versions, and what switches between them."""

    versions: Versions
    switching: Switching


CurrentVersions = Annotated[VersionParts, from_state(VersionParts)]


@contextlib.asynccontextmanager
async def open_installed(layout: Layout) -> AsyncIterator[Installed]:
    """Yield the installed versions; an interrupted switch between them is undone first."""
    installed = Installed(layout, installed_document(layout))
    await recover_switch(layout, installed)
    yield installed


@contextlib.asynccontextmanager
async def open_versions(
    settings: GameServerSettings,
    layout: Layout,
    stand_ins: StandIns,
    installed: Installed,
    game: Game,
    backups: BackupParts,
    operations: Operations,
    events: Events,
) -> AsyncIterator[VersionParts]:
    """Yield the parts; the feed is asked when somebody needs it."""
    url = stand_ins.version_feed or settings.version_feed_url
    hosts = frozenset(host.lower() for host in settings.version_hosts)
    sources = Sources(url, hosts, any_port=True)
    async with httpx2.AsyncClient(verify=trusted()) as client:
        feed = VersionFeed(
            Downloads(client, sources, DOCUMENT_BOUNDS),
            url,
            Document(layout.cache / "versions.json", FeedCache, default=FeedCache),
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
        yield VersionParts(versions, switching)
