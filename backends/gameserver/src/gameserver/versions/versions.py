"""The versions of the game: listed, installed, deleted."""

import asyncio
import shutil
from pathlib import Path

from bedplate.documents.threads import finish_in_thread
from gameserver.backups.worlds import world_file
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.program import runtime_by_version
from gameserver.versions.exceptions import FeedUnavailable, VersionInstalled, VersionInUse
from gameserver.versions.feed import VersionFeed, offered_in
from gameserver.versions.installation import Installed
from gameserver.versions.installing import Installer
from gameserver.versions.numbers import VersionNumber
from gameserver.versions.schemas import (
    Channel,
    FeedCache,
    OfferedVersion,
    ShownVersion,
    VersionList,
)

_CHANGING = frozenset({OperationKind.INSTALL, OperationKind.SWITCH})


class Versions:
    """What versions there are, here and in the feed."""

    def __init__(
        self,
        layout: Layout,
        installed: Installed,
        feed: VersionFeed,
        installer: Installer,
        operations: Operations,
    ) -> None:
        self._layout = layout
        self._installed = installed
        self._feed = feed
        self._installer = installer
        self._operations = operations

    async def list(self, *, refresh: bool = False) -> VersionList:
        """Return what is offered and what is installed, the newest first.

        Without any feed, now or earlier, it is what is installed.
        """
        try:
            feed = await self._feed.read(refresh=refresh)
        except FeedUnavailable:
            feed = FeedCache()
        current = await self._installed.current()
        number = current.version if current else None
        here = {one.version for one in await self._installed.list()}
        world = await self.world_version()
        return VersionList(
            versions=_merged(feed, here, number, world),
            current=number,
            world_version=world,
            fetched_at=feed.fetched_at,
            stale=self._feed.stale,
        )

    async def world_version(self) -> str | None:
        """Return the newest version that has run the present world."""
        world = await asyncio.to_thread(world_file, self._layout)
        return await self._installed.world_version(world.name)

    async def start_install(self, version: str, *, by: str) -> Operation:
        """Begin to install a version, and return the operation to watch.

        The first one ever becomes the current one. Raises `VersionInstalled`,
        `VersionNotOffered`, `FeedUnavailable`, `OperationInProgress`.
        """
        if await asyncio.to_thread(self._installed.folder(version).exists):
            raise VersionInstalled
        offered = await self._feed.find(version)

        async def work(progress: Progress) -> dict[str, str]:
            await self.install(offered, progress)
            return {"version": version}

        return await self._operations.start(
            OperationKind.INSTALL, work, by=by, not_beside=_CHANGING
        )

    async def offered(self, version: str) -> OfferedVersion:
        """Return what is offered of a version. Raises `VersionNotOffered`, `FeedUnavailable`."""
        return await self._feed.find(version)

    async def install(self, offered: OfferedVersion, progress: Progress) -> None:
        """Install a version as part of other work. Raises what `Installer.install` raises."""
        await self._installer.install(offered, progress)
        if await self._installed.current() is None:
            await self._installed.select(offered.version)

    async def delete(self, version: str) -> None:
        """Delete an installed version. Raises `VersionNotInstalled`, `VersionInUse`."""
        installation = await self._installed.find(version)
        current = await self._installed.current()
        if current is not None and current.version == version:
            raise VersionInUse("This version is the current one; switch to another first.")
        if any(one.kind in _CHANGING for one in self._operations.running()):
            raise VersionInUse("A version is being installed or switched to; wait for its end.")
        await finish_in_thread(lambda: self._remove(installation.folder))

    def _remove(self, folder: Path) -> None:
        going = self._layout.staging / f"deleted-{folder.name}"
        folder.rename(going)  # it goes from its name at once; what a crash leaves, a start removes
        shutil.rmtree(going, ignore_errors=True)


def _merged(
    feed: FeedCache, here: set[str], current: str | None, world: str | None
) -> list[ShownVersion]:
    offered = {one.version: one for one in offered_in(feed)}
    numbers = sorted({*offered, *here}, key=VersionNumber.parse, reverse=True)
    return [
        _shown(number, offered.get(number), number in here, number == current, world)
        for number in numbers
    ]


def _shown(
    version: str, offered: OfferedVersion | None, installed: bool, current: bool, world: str | None
) -> ShownVersion:
    number = VersionNumber.parse(version)
    return ShownVersion(
        version=version,
        channel=Channel.STABLE if number.stable else Channel.UNSTABLE,
        latest=offered is not None and offered.latest,
        offered=offered is not None,
        installed=installed,
        current=current,
        size=offered.size if offered else "",
        runtime=runtime_by_version(version),
        world_newer=world is not None and VersionNumber.parse(world) > number,
    )
