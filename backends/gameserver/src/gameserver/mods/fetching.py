"""Mods from the mod database, as files in a staging folder; downloads are cached."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bedplate import ids
from gameserver.disk import sha256_of
from gameserver.mods.archives import check_mod
from gameserver.mods.cache import FileCache
from gameserver.mods.database import ModDatabase
from gameserver.mods.exceptions import (
    DownloadRefused,
    InvalidModFile,
    ModDatabaseUnavailable,
    ModNotFound,
    ModTooLarge,
)
from gameserver.mods.listing import ModPage, Release
from gameserver.mods.resolution import (
    Fetched,
    Refused,
    Requirement,
    best_release,
    exact_release,
    suits,
)
from gameserver.mods.schemas import Origin, Suits
from gameserver.outgoing.exceptions import (
    FetchError,
    SourceRefused,
    StatusRefused,
    TooLarge,
    TooManyRedirects,
)
from gameserver.outgoing.fetching import Downloads
from gameserver.version_numbers import is_same

_GONE: Final = frozenset({404, 410})


async def download_mod(downloads: Downloads, url: str, target: Path) -> None:
    """Write the file behind a URL to `target`, which must not exist yet.

    Raises `DownloadRefused`, `ModTooLarge`, or `ModDatabaseUnavailable` when the host doesn't
    deliver. A part may stay in `target`: the caller removes its staging folder as a whole.
    """
    try:
        await downloads.save(url, target)
    except TooLarge:
        max_bytes = downloads.bounds.max_bytes
        raise ModTooLarge(f"The file has more than {max_bytes} bytes.") from None
    except (SourceRefused, TooManyRedirects) as error:
        raise DownloadRefused(f"The file can't be downloaded: {error}.") from None
    except FetchError as error:
        if isinstance(error, StatusRefused) and error.status in _GONE:
            text = "The file isn't there any more; it may be retracted."
            raise DownloadRefused(text) from None
        raise ModDatabaseUnavailable from None


async def checked_file(path: Path, origin: Origin, url: str | None = None) -> Fetched:
    """Return the mod in a staged file. Raises `InvalidModFile`."""
    info = await asyncio.to_thread(check_mod, path)
    return Fetched(info, path, await asyncio.to_thread(sha256_of, path), origin, url)


@dataclass(frozen=True)
class ModSources:
    """Where mods come from: the database, the web, and the cache of files."""

    database: ModDatabase
    downloads: Downloads
    files: FileCache


@dataclass(frozen=True)
class DatabaseCatalogue:
    """Fulfils requirements from the mod database, with files in the folder `staging`."""

    sources: ModSources
    staging: Path
    game: str | None
    any_game_version: bool = False

    async def fetch(self, need: Requirement) -> Fetched:
        """Return a checked file that fulfils a requirement.

        Raises `Refused` when there is none, `ModDatabaseUnavailable`, `DownloadRefused`.
        """
        try:
            page = (await self.sources.database.page(need.mod_id)).content
        except ModNotFound:
            text = f"The mod database has no {need.mod_id}{_needed(need)}."
            raise Refused(need.conflict("not_found", text, need.min_version)) from None
        release = self._choose(page, need)
        path = self.staging / f"{ids.token(8)}.zip"
        url, files = str(release.url), self.sources.files
        content = await asyncio.to_thread(files.read, url)
        if content is not None:
            await asyncio.to_thread(path.write_bytes, content)
        else:
            await download_mod(self.sources.downloads, url, path)
            await asyncio.to_thread(lambda: files.write(url, path.read_bytes()))
        return await self._checked(need, release, path)

    def _choose(self, page: ModPage, need: Requirement) -> Release:
        if need.version is not None:
            release = exact_release(page.releases, need.mod_id, need.version)
        else:
            release = best_release(
                page.releases,
                need.mod_id,
                game=self.game,
                min_version=need.min_version,
                any_game_version=self.any_game_version,
            )
        if release is None or release.url is None:
            version = need.version or (f"{need.min_version} or newer" if need.min_version else "")
            named = f"{need.mod_id} {version}".rstrip()
            game = f" for version {self.game} of the game" if self.game and not need.version else ""
            text = f"There is no release of {named}{game}{_needed(need)}."
            raise Refused(need.conflict("no_release", text, version))
        if suits(release.game_versions, self.game) is Suits.NO and not self.any_game_version:
            made_for = ", ".join(release.game_versions[:10])
            text = f"{need.mod_id} {release.version} is made for {made_for}, not for {self.game}."
            raise Refused(need.conflict("game_version", text, made_for, self.game or ""))
        return release

    async def _checked(self, need: Requirement, release: Release, path: Path) -> Fetched:
        try:
            fetched = await checked_file(path, Origin.DATABASE, release.url)
        except InvalidModFile as error:
            text = f"The file of {need.mod_id} can't be used. {error.detail}"
            raise Refused(need.conflict("invalid_file", text)) from None
        if fetched.info.mod_id != need.mod_id or not is_same(fetched.info.version, release.version):
            asked = f"{need.mod_id} {release.version}"
            text = f"The file of {asked} says that it is another mod or version."
            raise Refused(need.conflict("identity", text))
        return replace(fetched, suits=suits(release.game_versions, self.game))


def _needed(need: Requirement) -> str:
    return f", which {need.needed_by} needs" if need.needed_by else ""
