"""Lists, installs and deletes versions of the game."""

import asyncio
import shutil
from pathlib import Path

from bedplate.documents.threads import finish_in_thread
from gameserver.backups.worlds import world_file
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
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


class Versions:
    """The versions that are installed or offered by the feed."""

    def __init__(
        self,
        layout: Layout,
        installed: InstalledVersions,
        feed: VersionFeed,
        installer: Installer,
        operations: Operations,
    ) -> None:
        self._layout = layout
        self._installed = installed
        self.feed = feed
        self.installer = installer
        self._operations = operations

    async def list(self, *, refresh: bool = False) -> VersionList:
        """Return the offered and the installed versions, newest first.

        If the feed never answered, only the installed ones.
        """
        try:
            feed = await self.feed.read(refresh=refresh)
        except FeedUnavailable:
            feed = FeedCache()
        current = await self._installed.current()
        number = current.version if current else None
        installed = {installation.version for installation in await self._installed.list()}
        world_version = await self.world_version()
        return VersionList(
            versions=_merged(feed, installed, number, world_version),
            current=number,
            world_version=world_version,
            fetched_at=feed.fetched_at,
            stale=self.feed.stale,
        )

    async def world_version(self) -> str | None:
        """Return the newest version that has run the current world."""
        world = await asyncio.to_thread(world_file, self._layout)
        return await self._installed.world_version(world.name)

    async def start_install(self, version: str, *, by: str) -> Operation:
        """Begin to install a version, and return its operation.

        The first installed version becomes the current one. Raises `VersionInstalled`,
        `VersionNotOffered`, `FeedUnavailable`, `OperationInProgress`.
        """
        if await asyncio.to_thread(self._installed.folder(version).exists):
            raise VersionInstalled
        offered = await self.feed.find(version)

        async def work(progress: Progress) -> dict[str, str]:
            await self.installer.install(offered, progress)
            return {"version": version}

        return await self._operations.start(
            OperationKind.INSTALL, work, by=by, not_beside=_CHANGING
        )

    async def delete(self, version: str) -> None:
        """Delete an installed version. Raises `VersionNotInstalled`, `VersionInUse`."""
        installation = await self._installed.find(version)
        current = await self._installed.current()
        if current is not None and current.version == version:
            raise VersionInUse("This version is the current one; switch to another first.")
        if any(operation.kind in _CHANGING for operation in self._operations.running()):
            raise VersionInUse("A version is being installed or switched to; wait until that ends.")
        await finish_in_thread(lambda: self._remove(installation.folder))

    def _remove(self, folder: Path) -> None:
        deleted = self._layout.staging / f"deleted-{folder.name}"
        folder.rename(deleted)  # gone at once under its name; a start removes what a crash leaves
        shutil.rmtree(deleted, ignore_errors=True)


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
    """Record, before each start of the game, which version may change the world from now on."""
    current = await installed.current()
    if current is not None:
        world = await asyncio.to_thread(world_file, layout)
        await installed.ran_world(world.name, current.version)
