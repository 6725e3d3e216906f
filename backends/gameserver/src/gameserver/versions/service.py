"""Lists, installs and deletes versions of the game."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bedplate.documents.threads import finish_in_thread
from gameserver.disk import remove_tree
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.locations import world_file
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.program import runtime_by_version
from gameserver.version_numbers import VersionNumber
from gameserver.versions.exceptions import FeedUnavailable, VersionInstalled, VersionInUse
from gameserver.versions.feed import VersionFeed, offered_in
from gameserver.versions.installer import Installer
from gameserver.versions.schemas import Channel, FeedCache, Version, VersionList

_CHANGING = frozenset({OperationKind.INSTALL, OperationKind.SWITCH})


@dataclass(frozen=True)
class Versions:
    """The versions that are installed or offered by the feed."""

    layout: Layout
    installed: InstalledVersions
    feed: VersionFeed
    installer: Installer
    operations: Operations

    async def list(self, *, refresh: bool = False) -> VersionList:
        """Return the offered and the installed versions, newest first.

        If the feed never answered, it returns only the installed ones.
        """
        try:
            feed = await self.feed.read(refresh=refresh)
        except FeedUnavailable:
            feed = FeedCache()
        installation = await self.installed.current()
        current = installation.version if installation else None
        installed = {item.version for item in await self.installed.list()}
        world_version = await self.world_version()
        return VersionList(
            versions=_merged(feed, installed, current, world_version),
            current=current,
            world_version=world_version,
            fetched_at=feed.fetched_at,
            stale=self.feed.stale,
        )

    async def world_version(self) -> str | None:
        """Return the newest version that has run the current world."""
        world = await asyncio.to_thread(world_file, self.layout)
        return await self.installed.world_version(world.name)

    async def start_install(self, version: str, *, by: str) -> Operation:
        """Begin to install a version, and return its operation.

        The first installed version becomes the current one. Raises `VersionInstalled`,
        `VersionNotOffered`, `FeedUnavailable`, `OperationInProgress`.
        """
        if await asyncio.to_thread(self.installed.folder(version).exists):
            raise VersionInstalled
        offered = await self.feed.find(version)

        async def work(progress: Progress) -> dict[str, str]:
            await self.installer.install(offered, progress)
            return {"version": version}

        return await self.operations.start(OperationKind.INSTALL, work, by=by, not_beside=_CHANGING)

    async def delete(self, version: str) -> None:
        """Delete an installed version. Raises `VersionNotInstalled`, `VersionInUse`."""
        installation = await self.installed.find(version)
        current = await self.installed.current()
        if current is not None and current.version == version:
            raise VersionInUse("This version is the current one; switch to another first.")
        if any(operation.kind in _CHANGING for operation in self.operations.running()):
            raise VersionInUse("A version is being installed or switched to; wait until that ends.")
        staged = self.layout.staging / f"deleted-{version}"
        await finish_in_thread(lambda: _remove(installation.folder, staged))


def _remove(folder: Path, staged: Path) -> None:
    folder.rename(staged)  # at once; the next start of the manager removes what a crash leaves
    remove_tree(staged)


def _merged(
    feed: FeedCache, installed: set[str], current: str | None, world_version: str | None
) -> list[Version]:
    offers = {offer.version: offer for offer in offered_in(feed)}
    world = VersionNumber.parse(world_version) if world_version else None
    versions = []
    for version in sorted({*offers, *installed}, key=VersionNumber.parse, reverse=True):
        number, offer = VersionNumber.parse(version), offers.get(version)
        versions.append(
            Version(
                version=version,
                channel=Channel.STABLE if number.stable else Channel.UNSTABLE,
                latest=offer is not None and offer.latest,
                offered=offer is not None,
                installed=version in installed,
                current=version == current,
                size=offer.size if offer else "",
                runtime=runtime_by_version(version),
                world_newer=world is not None and world > number,
            )
        )
    return versions


async def remember_world(layout: Layout, installed: InstalledVersions) -> None:
    """Record, before each start of the game, which version may change the world."""
    current = await installed.current()
    if current is not None:
        world = await asyncio.to_thread(world_file, layout)
        await installed.ran_world(world.name, current.version)
