"""Mods from the mod database, as files in a staging folder; what was fetched once is kept."""

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Final

from bedplate import ids
from gameserver.disk import sha256_of
from gameserver.mods.archives import check_mod
from gameserver.mods.database import ModDatabase
from gameserver.mods.downloads import ModDownloads
from gameserver.mods.exceptions import InvalidModFile, ModNotFound
from gameserver.mods.listing import ModPage, Release
from gameserver.mods.releases import Suits, best_release, exact_release, suits
from gameserver.mods.resolution import Conflict, Fetched, Refused, Requirement
from gameserver.mods.state import Origin
from gameserver.version_numbers import is_same

MAX_CACHE_BYTES: Final = 1024**3


class FileCache:
    """Files that were downloaded, by URL; beyond `most_bytes` the longest unused are dropped."""

    def __init__(self, folder: Path, *, most_bytes: int = MAX_CACHE_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def take(self, url: str, target: Path) -> bool:
        """Copy the file of a URL to `target`, and say whether it was there. Blocking."""
        kept = self._path(url)
        try:
            shutil.copyfile(kept, target)
            kept.touch()
        except OSError:
            target.unlink(missing_ok=True)
            return False
        return True

    def keep(self, url: str, source: Path) -> None:
        """Keep a copy of a file; when there is no room, there is none. Blocking."""
        kept = self._path(url)
        part = kept.with_name(f"{kept.name}.{ids.token(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, part)
            part.replace(kept)
            self._prune()
        except OSError:
            part.unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()

    def _prune(self) -> None:
        files = [(file, file.stat()) for file in self._folder.iterdir()]
        room = self._most_bytes
        for file, status in sorted(files, key=lambda one: one[1].st_mtime_ns, reverse=True):
            room -= status.st_size
            if room < 0:
                file.unlink(missing_ok=True)


class DatabaseCatalogue:
    """Fulfils requirements from the mod database, with files in the folder `staging`."""

    def __init__(
        self,
        database: ModDatabase,
        downloads: ModDownloads,
        files: FileCache,
        staging: Path,
        *,
        game: str | None,
        any_game_version: bool = False,
    ) -> None:
        self._database = database
        self._downloads = downloads
        self._files = files
        self._staging = staging
        self._game = game
        self._any_game_version = any_game_version

    async def fetch(self, need: Requirement) -> Fetched:
        """Return a checked file that fulfils a need.

        Raises `Refused` when there is none, `ModDatabaseUnavailable`, `DownloadRefused`.
        """
        try:
            page = (await self._database.page(need.mod_id)).content
        except ModNotFound:
            raise Refused(_not_found(need)) from None
        release = self._choose(page, need)
        path = self._staging / f"{ids.token(8)}.zip"
        await self.obtain(str(release.url), path)
        return await self._checked(need, release, path)

    async def obtain(self, url: str, path: Path) -> None:
        """Put the file behind a URL to `path`, from the cache when it was fetched before."""
        if await asyncio.to_thread(self._files.take, url, path):
            return
        await self._downloads.fetch(url, path)
        await asyncio.to_thread(self._files.keep, url, path)

    def _choose(self, page: ModPage, need: Requirement) -> Release:
        if need.version is not None:
            release = exact_release(page.releases, need.mod_id, need.version)
        else:
            release = best_release(
                page.releases,
                need.mod_id,
                game=self._game,
                min_version=need.min_version,
                any_game_version=self._any_game_version,
            )
        if release is None or release.url is None:
            raise Refused(_no_release(need, self._game))
        suiting = suits(release.game_versions, self._game)
        if suiting is Suits.NO and not self._any_game_version:
            raise Refused(_unsuitable(need, release, self._game))
        return release

    async def _checked(self, need: Requirement, release: Release, path: Path) -> Fetched:
        try:
            info = await asyncio.to_thread(check_mod, path)
        except InvalidModFile as error:
            text = f"The file of {need.mod_id} can't be used. {error.detail}"
            raise Refused(Conflict("invalid_file", need.mod_id, text)) from None
        if info.mod_id != need.mod_id or not is_same(info.version, release.version):
            raise Refused(_other_identity(need, release))
        return Fetched(
            info,
            path,
            await asyncio.to_thread(sha256_of, path),
            Origin.DATABASE,
            release.url,
            suits(release.game_versions, self._game),
        )


def _not_found(need: Requirement) -> Conflict:
    needed = f", which {need.needed_by} needs" if need.needed_by else ""
    text = f"The mod database has no {need.mod_id}{needed}."
    return Conflict("not_found", need.mod_id, text, need.needed_by or "", need.min_version)


def _no_release(need: Requirement, game: str | None) -> Conflict:
    version = need.version or (f"{need.min_version} or newer" if need.min_version else "")
    suiting = f" for version {game} of the game" if game and need.version is None else ""
    needed = f", which {need.needed_by} needs" if need.needed_by else ""
    text = f"There is no release of {need.mod_id} {version}".rstrip() + f"{suiting}{needed}."
    return Conflict("no_release", need.mod_id, text, need.needed_by or "", version)


def _unsuitable(need: Requirement, release: Release, game: str | None) -> Conflict:
    made_for = ", ".join(release.game_versions[:10])
    text = f"{need.mod_id} {release.version} is made for {made_for}, not for {game}."
    return Conflict("game_version", need.mod_id, text, need.needed_by or "", made_for, game or "")


def _other_identity(need: Requirement, release: Release) -> Conflict:
    text = f"The file of {need.mod_id} {release.version} says that it is another mod or version."
    return Conflict("identity", need.mod_id, text, need.needed_by or "")
