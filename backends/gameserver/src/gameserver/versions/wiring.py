import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import httpx2

from bedplate.documents import Document
from bedplate.state import from_state
from bedplate.tls import trusted
from gameserver.archives.unpacking import Limits
from gameserver.backups.wiring import BackupServices
from gameserver.events import Events
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.operations.service import Operations
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.simulator import StandIns
from gameserver.versions.feed import DOCUMENT_BOUNDS, VersionFeed
from gameserver.versions.installer import Installer
from gameserver.versions.schemas import FeedCache
from gameserver.versions.service import Versions
from gameserver.versions.switcher import VersionSwitcher, journal_of, recover_switch

_MAX_FILES = 100_000


@dataclass(frozen=True)
class VersionServices:
    """What lists and installs versions, and what switches between them."""

    versions: Versions
    switcher: VersionSwitcher


CurrentVersions = Annotated[VersionServices, from_state(VersionServices)]


@contextlib.asynccontextmanager
async def open_installed(layout: Layout) -> AsyncIterator[InstalledVersions]:
    """Yield the installed versions, once an interrupted switch is finished or undone."""
    installed = InstalledVersions(layout)
    await recover_switch(layout, installed)
    yield installed


@contextlib.asynccontextmanager
async def open_versions(
    settings: GameServerSettings,
    layout: Layout,
    stand_ins: StandIns,
    installed: InstalledVersions,
    game: Game,
    backups: BackupServices,
    operations: Operations,
    events: Events,
) -> AsyncIterator[VersionServices]:
    """Yield the services; the feed gets no request before somebody needs it."""
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
        max_bytes = settings.version_unpacked_bytes
        limits = Limits(_MAX_FILES, max_bytes, max_bytes)
        installer = Installer(layout, installed, Downloads(client, sources, bounds), limits)
        versions = Versions(layout, installed, feed, installer, operations)
        switcher = VersionSwitcher(
            game,
            versions,
            installed,
            backups.backups,
            backups.restores,
            operations,
            events,
            journal_of(layout),
            settings.version_ready_seconds,
        )
        yield VersionServices(versions, switcher)
