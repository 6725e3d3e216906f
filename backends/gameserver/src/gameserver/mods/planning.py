"""From a request to a plan: which files are added, which go, and what conflicts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bedplate import clock, ids
from gameserver.disk import sha256_of
from gameserver.mods.archives import check_mod
from gameserver.mods.changes import Change
from gameserver.mods.database import ModDatabase
from gameserver.mods.downloads import ModDownloads
from gameserver.mods.exceptions import InvalidModFile
from gameserver.mods.fetching import DatabaseCatalogue, FileCache
from gameserver.mods.inventory import InstalledMods, Inventory
from gameserver.mods.resolution import Fetched, Requirement, Resolution, Resolver
from gameserver.mods.schemas import Action, Plan, Step
from gameserver.mods.state import Origin, Record
from gameserver.mods.updates import Updates
from gameserver.operations.progress import Progress
from gameserver.version_numbers import is_newer, is_same


@dataclass
class ModRequest:
    """What to install: mods by id, uploaded files, a file behind a URL, or updates."""

    requirements: list[Requirement] = field(default_factory=list)
    files: list[Fetched] = field(default_factory=list)
    url: str | None = None
    url_mod_id: str | None = None
    update: list[str] | None = None
    update_all: bool = False
    any_game_version: bool = False


GameVersion = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True)
class ModSources:
    """Where mods come from: the database, its files, and those that were fetched before."""

    database: ModDatabase
    downloads: ModDownloads
    files: FileCache


class Planner:
    """Finds out what a request would install, without changing anything."""

    def __init__(
        self, inventory: Inventory, sources: ModSources, updates: Updates, game_version: GameVersion
    ) -> None:
        self._inventory = inventory
        self._sources = sources
        self._updates = updates
        self._game_version = game_version

    async def resolve(
        self, request: ModRequest, staging: Path, progress: Progress
    ) -> tuple[Resolution, InstalledMods, str | None]:
        """Return how a request can be met, the installed mods, and the version of the game.

        Files that it needs are downloaded into `staging`. Raises what downloads raise.
        """
        game = await self._game_version()
        installed = await self._inventory.installed()
        catalogue = DatabaseCatalogue(
            self._sources.database,
            self._sources.downloads,
            self._sources.files,
            staging,
            game=game,
            any_game_version=request.any_game_version,
        )
        progress.report(0.05, "Asking the mod database.")
        requirements = [*request.requirements, *await self._requested_updates(request, game)]
        files = list(request.files)
        if request.url is not None:
            files.append(await self._from_url(request, staging))
        progress.report(0.1, "Downloading files.")
        resolver = Resolver(installed.present(), catalogue, game)
        return await resolver.resolve(requirements, files), installed, game

    async def _requested_updates(self, request: ModRequest, game: str | None) -> list[Requirement]:
        if not request.update_all and request.update is None:
            return []
        available = await self._updates.check(game, any_game_version=request.any_game_version)
        return [
            Requirement(update.mod_id, update.newest)
            for update in available.updates
            if (update.mod_id in request.update if request.update else not update.pinned)
        ]

    async def _from_url(self, request: ModRequest, staging: Path) -> Fetched:
        path = staging / f"{ids.token(8)}.zip"
        url = str(request.url)
        await self._sources.downloads.fetch(url, path)
        info = await asyncio.to_thread(check_mod, path)
        if request.url_mod_id not in {None, info.mod_id}:
            raise InvalidModFile("The file is a different mod than the one you asked for.")
        return Fetched(info, path, await asyncio.to_thread(sha256_of, path), Origin.URL, url)


async def read_upload(path: Path) -> Fetched:
    """Return the mod in an uploaded file. Raises `InvalidModFile`."""
    info = await asyncio.to_thread(check_mod, path)
    return Fetched(info, path, await asyncio.to_thread(sha256_of, path), Origin.UPLOAD)


def plan_of(resolution: Resolution, installed: InstalledMods, game: str | None) -> Plan:
    """Return what a resolution would change."""
    return Plan(
        game_version=game,
        steps=[_step(fetched, installed) for fetched in _added(resolution, installed)],
        conflicts=[conflict.as_dict() for conflict in resolution.conflicts],
        warnings=[warning.as_dict() for warning in resolution.warnings],
    )


def change_of(resolution: Resolution, installed: InstalledMods, *, by: str) -> Change:
    """Return the change of files and records that a resolution asks for."""
    added = _added(resolution, installed)
    change = Change(_text(added, installed))
    for fetched in added:
        replaced = _replaced_files(fetched, installed)
        change.replaces.update(replaced)
        change.files.update(dict.fromkeys(replaced))
        change.files[file_name(fetched)] = fetched.path
        change.records[fetched.info.mod_id] = Record(
            mod_id=fetched.info.mod_id,
            version=fetched.info.version,
            file=file_name(fetched),
            sha256=fetched.sha256,
            origin=fetched.origin,
            url=fetched.url,
            installed_at=clock.now(),
            installed_by=by,
        )
    return change


def file_name(fetched: Fetched) -> str:
    """Return the name of a mod's file, made of checked values, never the author's own."""
    version = "".join(char for char in fetched.info.version if char.isalnum() or char in ".-")
    safe = version.encode("ascii", "ignore").decode().strip(".-")
    return f"{fetched.info.mod_id}_{safe}.zip" if safe else f"{fetched.info.mod_id}.zip"


def _added(resolution: Resolution, installed: InstalledMods) -> list[Fetched]:
    """Return the mods that are not installed yet, byte for byte, alone and enabled."""
    return [mod for mod in resolution.chosen.values() if not _is_there(mod, installed)]


def _is_there(fetched: Fetched, installed: InstalledMods) -> bool:
    mod_id = fetched.info.mod_id
    files = [file for file in installed.files if file.info and file.info.mod_id == mod_id]
    return len(files) == 1 and files[0].enabled and files[0].sha256 == fetched.sha256


def _replaced_files(fetched: Fetched, installed: InstalledMods) -> list[str]:
    mod_id = fetched.info.mod_id
    return [
        file.name
        for file in installed.files
        if file.info is not None and file.info.mod_id == mod_id
    ]


def _from_version(fetched: Fetched, installed: InstalledMods) -> str | None:
    known = installed.enabled().get(fetched.info.mod_id)
    return None if known is None else known.version


def _step(fetched: Fetched, installed: InstalledMods) -> Step:
    before, after = _from_version(fetched, installed), fetched.info.version
    return Step(
        action=_action(before, after),
        mod_id=fetched.info.mod_id,
        name=fetched.info.name,
        from_version=before,
        to_version=after,
        file=file_name(fetched),
        replaces=_replaced_files(fetched, installed),
        suits=fetched.suits,
        origin=fetched.origin,
    )


def _action(before: str | None, after: str) -> Action:
    if before is None:
        return "install"
    if is_same(before, after):
        return "replace"
    return "update" if is_newer(after, before) else "downgrade"


_WORDS = {
    "install": "{name} {after} installed",
    "update": "{name} updated from {before} to {after}",
    "downgrade": "{name} downgraded from {before} to {after}",
    "replace": "{name} {after} reinstalled",
}


def _text(added: Iterable[Fetched], installed: InstalledMods) -> str:
    parts = []
    for fetched in added:
        before, after = _from_version(fetched, installed), fetched.info.version
        words = _WORDS[_action(before, after)]
        parts.append(words.format(name=fetched.info.mod_id, before=before, after=after))
    return ", ".join(parts) or "Nothing to do"
