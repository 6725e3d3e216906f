"""A version's archive becomes an installation: a new folder, beside the others, whole or absent."""

import asyncio
import os
from pathlib import Path
from typing import Final

from bedplate import ids
from bedplate.documents.threads import finish_in_thread
from gameserver.archives.headers import GameHeader
from gameserver.archives.reading import Limits, Unpacking
from gameserver.disk import remove_tree, require_room
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.versions.downloads import GameDownloads
from gameserver.versions.exceptions import NotTheGame, VersionInstalled
from gameserver.versions.installation import Installed
from gameserver.versions.schemas import OfferedVersion

_PROGRAMS: Final = ("VintagestoryServer", "VintagestoryServer.dll", "VintagestoryServer.exe")
_ROOM: Final = 600_000_000


class Installer:
    """Downloads and unpacks versions. `limits` bound what an archive may unpack to."""

    def __init__(
        self, layout: Layout, installed: Installed, downloads: GameDownloads, limits: Limits
    ) -> None:
        self._layout = layout
        self._installed = installed
        self._downloads = downloads
        self._limits = limits

    async def install(self, offered: OfferedVersion, progress: Progress) -> None:
        """Install a version; nothing of it is left behind when that fails.

        Raises `VersionInstalled`, `InsufficientStorage`, `DownloadFailed` and `ArchiveError`.
        """
        place = self._installed.folder(offered.version)
        if await asyncio.to_thread(place.exists):
            raise VersionInstalled
        await asyncio.to_thread(require_room, self._layout.staging, _ROOM)
        staged = self._layout.staging / f"version-{ids.token(8)}"
        await asyncio.to_thread(staged.mkdir)
        try:
            archive = staged / "game.tar.gz"
            progress.report(0, f"Downloading {offered.version}")
            await self._downloads.fetch(offered, archive, progress.part(0, 0.7).report)
            progress.report(0.7, f"Unpacking {offered.version}")
            await finish_in_thread(
                lambda: self._unpack(archive, staged / "game", offered.version, progress)
            )
            await finish_in_thread(lambda: _put(staged / "game", place))
        finally:
            await finish_in_thread(lambda: remove_tree(staged))
        progress.report(1, f"{offered.version} is installed")

    def _unpack(self, archive: Path, target: Path, version: str, progress: Progress) -> None:
        def told(_: int) -> None:
            progress.check()

        with archive.open("rb") as file:
            Unpacking(
                target, self._limits, header=GameHeader, copy_links=True, written=told
            ).unpack_gzip(file)
        _check(target, version)


def _check(folder: Path, version: str) -> None:
    """Raise `NotTheGame` unless a folder holds the server, and of this version alone.

    The game refuses to start over two `assets/version-*.txt` (LinuxGSM #4920).
    """
    if not any((folder / program).is_file() for program in _PROGRAMS):
        raise NotTheGame("The archive holds no Vintage Story server.")
    named = [path.name for path in (folder / "assets").glob("version-*.txt")]
    if named != [f"version-{version}.txt"]:
        raise NotTheGame("The archive holds another version than it is offered as, or several.")


def _put(staged: Path, place: Path) -> None:
    """Give a checked folder its name, once all of it is on disk."""
    os.sync()
    try:
        staged.rename(place)
    except OSError:
        if place.exists():
            raise VersionInstalled from None
        raise
    descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
