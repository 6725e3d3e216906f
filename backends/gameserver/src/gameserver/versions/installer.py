"""Installs versions: downloads an archive and unpacks it into a new folder, or leaves nothing."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate.documents.atomic import sync_folder
from bedplate.documents.threads import finish_in_thread
from gameserver.archives.unpacking import GameHeader, Limits, Unpacking
from gameserver.disk import require_room, staged_folder
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.outgoing.exceptions import FetchError
from gameserver.outgoing.fetching import Downloads
from gameserver.versions.exceptions import (
    DigestMismatch,
    DownloadFailed,
    NotAGameServer,
    VersionInstalled,
)
from gameserver.versions.schemas import OfferedVersion

_PROGRAMS: Final = ("VintagestoryServer", "VintagestoryServer.dll", "VintagestoryServer.exe")
_REQUIRED_BYTES: Final = 600_000_000


@dataclass(frozen=True)
class Installer:
    """Downloads and unpacks versions. `limits` bound what an archive may unpack to."""

    layout: Layout
    installed: InstalledVersions
    downloads: Downloads
    limits: Limits

    async def install(self, offered: OfferedVersion, progress: Progress) -> None:
        """Install a version; the first one becomes current. If that fails, nothing of it is left.

        Raises `VersionInstalled`, `InsufficientStorage`, `DownloadFailed` and `ArchiveError`.
        """
        folder = self.installed.folder(offered.version)
        if await asyncio.to_thread(folder.exists):
            raise VersionInstalled
        await asyncio.to_thread(require_room, self.layout.staging, _REQUIRED_BYTES)
        async with staged_folder(self.layout.staging, "version") as staged:
            archive, game = staged / "game.tar.gz", staged / "game"
            progress.report(0, f"Downloading {offered.version}")
            await download_game(self.downloads, offered, archive, progress.part(0, 0.7).report)
            progress.report(0.7, f"Unpacking {offered.version}")
            await finish_in_thread(lambda: self._unpack(archive, game, offered.version, progress))
            await finish_in_thread(lambda: _publish(game, folder))
        if await self.installed.current() is None:
            await self.installed.select(offered.version)
        progress.report(1, f"{offered.version} is installed")

    def _unpack(self, archive: Path, target: Path, version: str, progress: Progress) -> None:
        """Unpack the game, and raise `NotAGameServer` unless it is this version and no other.

        The game refuses to start with two `assets/version-*.txt` (LinuxGSM #4920).
        """
        with archive.open("rb") as file:
            Unpacking(
                target,
                self.limits,
                header=GameHeader,
                copy_links=True,
                on_progress=lambda _: progress.check(),
            ).unpack_gzip(file)
        if not any((target / program).is_file() for program in _PROGRAMS):
            raise NotAGameServer("The archive holds no Vintage Story server.")
        markers = [path.name for path in (target / "assets").glob("version-*.txt")]
        if markers != [f"version-{version}.txt"]:
            raise NotAGameServer("The archive contains another version, or several.")


async def download_game(
    downloads: Downloads,
    offered: OfferedVersion,
    target: Path,
    on_progress: Callable[[float], None],
) -> None:
    """Write a version's archive to the new file `target`, from the first URL that works.

    `on_progress` receives the completed fraction. Raises `DigestMismatch`, `DownloadFailed`.
    """
    failure: DigestMismatch | DownloadFailed = DownloadFailed("The feed names no URL for it.")
    for url in offered.urls:
        try:
            await downloads.save(url, target, on_progress)
            if await asyncio.to_thread(_md5_of, target) == offered.md5:
                return
            failure = DigestMismatch()
        except FetchError as error:
            failure = DownloadFailed(f"The archive can't be downloaded: {error}.")
        await asyncio.to_thread(target.unlink, missing_ok=True)
    raise failure


def _md5_of(path: Path) -> str:
    """Return a file's MD5, the only digest that the feed has. Blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _publish(staged: Path, folder: Path) -> None:
    """Give a checked folder its final name, once all of it is on disk."""
    os.sync()
    try:
        staged.rename(folder)
    except OSError:
        if folder.exists():
            raise VersionInstalled from None
        raise
    sync_folder(folder.parent)
