"""From a request to a plan: which files are added, which go, and what conflicts."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bedplate import clock, ids
from gameserver.mods.changes import Change
from gameserver.mods.database import Answer, ModDatabase
from gameserver.mods.exceptions import InvalidModFile, ModNotFound
from gameserver.mods.fetching import DatabaseCatalogue, ModSources, checked_file, download_mod
from gameserver.mods.inventory import InstalledMods, Inventory
from gameserver.mods.listing import ModPage
from gameserver.mods.modinfo import ModInfo
from gameserver.mods.resolution import Fetched, Requirement, Resolver, best_release, suits
from gameserver.mods.schemas import Action, ModUpdate, ModUpdates, Origin, Plan, Record, Step
from gameserver.operations.progress import Progress
from gameserver.version_numbers import is_newer, is_same

_AT_ONCE: Final = 6
_WORDS: Final = {
    "install": "{mod_id} {to_version} installed",
    "update": "{mod_id} updated from {from_version} to {to_version}",
    "downgrade": "{mod_id} downgraded from {from_version} to {to_version}",
    "replace": "{mod_id} {to_version} reinstalled",
}

GameVersion = Callable[[], Awaitable[str | None]]


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


@dataclass(frozen=True)
class Planner:
    """Finds out what a request would install, without changing anything."""

    inventory: Inventory
    sources: ModSources
    game_version: GameVersion

    async def plan(
        self, request: ModRequest, staging: Path, progress: Progress, *, by: str
    ) -> tuple[Plan, Change]:
        """Return how a request can be met, and the change of files and records that does it.

        Files are downloaded into `staging`. Raises what downloads raise.
        """
        game = await self.game_version()
        installed = await self.inventory.installed()
        progress.report(0.05, "Asking the mod database.")
        requirements = [*request.requirements, *await self._updates(request, installed, game)]
        files = list(request.files)
        if request.url is not None:
            files.append(await self._from_url(request.url, request.url_mod_id, staging))
        progress.report(0.1, "Downloading files.")
        catalogue = DatabaseCatalogue(self.sources, staging, game, request.any_game_version)
        resolver = Resolver(installed.present(), catalogue.fetch, game)
        resolution = await resolver.resolve(requirements, files)
        added = [mod for mod in resolution.chosen.values() if not _is_installed(mod, installed)]
        plan = Plan(
            game_version=game,
            steps=[_step(fetched, installed) for fetched in added],
            conflicts=[conflict.as_dict() for conflict in resolution.conflicts],
            warnings=[warning.as_dict() for warning in resolution.warnings],
        )
        return plan, _change(added, plan.steps, by)

    async def _updates(
        self, request: ModRequest, installed: InstalledMods, game: str | None
    ) -> list[Requirement]:
        if not request.update_all and request.update is None:
            return []
        available = await find_updates(
            self.sources.database, installed, game, any_game_version=request.any_game_version
        )
        return [
            Requirement(update.mod_id, update.newest)
            for update in available.updates
            if (update.mod_id in request.update if request.update else not update.pinned)
        ]

    async def _from_url(self, url: str, mod_id: str | None, staging: Path) -> Fetched:
        path = staging / f"{ids.token(8)}.zip"
        await download_mod(self.sources.downloads, url, path)
        fetched = await checked_file(path, Origin.URL, url)
        if mod_id not in {None, fetched.info.mod_id}:
            raise InvalidModFile("The file is a different mod than the one you asked for.")
        return fetched


async def find_updates(
    database: ModDatabase,
    installed: InstalledMods,
    game: str | None,
    *,
    any_game_version: bool = False,
) -> ModUpdates:
    """Return the releases that are newer than the enabled mods and suit the game.

    Raises `ModDatabaseUnavailable`.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def page_of(info: ModInfo) -> Answer[ModPage] | None:
        async with gate:
            with contextlib.suppress(ModNotFound):
                return await database.page(info.mod_id)
        return None

    enabled = list(installed.enabled().values())
    pages = list(zip(enabled, await asyncio.gather(*map(page_of, enabled)), strict=True))
    known = [(info, page) for info, page in pages if page is not None]
    updates = []
    for info, page in known:
        best = best_release(
            page.content.releases, info.mod_id, game=game, any_game_version=any_game_version
        )
        if best is not None and is_newer(best.version, info.version):
            update = ModUpdate(
                mod_id=info.mod_id,
                name=info.name,
                version=info.version,
                newest=best.version,
                suits=suits(best.game_versions, game),
                pinned=info.mod_id in installed.state.pinned,
                changelog=best.changelog,
            )
            updates.append(update)
    return ModUpdates(
        game_version=game,
        updates=updates,
        unknown=[info.mod_id for info, page in pages if page is None],
        stale=any(page.stale for _, page in known),
    )


def file_name(info: ModInfo) -> str:
    """Return the name of a mod's file, made of checked values, never the author's file name."""
    version = "".join(char for char in info.version if char.isalnum() or char in ".-")
    safe = version.encode("ascii", "ignore").decode().strip(".-")
    if safe:
        return f"{info.mod_id}_{safe}.zip"
    # `a_1.zip` is version 1 of the mod `a`; a mod `a_1` without a version is another file.
    return f"{info.mod_id}_.zip" if "_" in info.mod_id else f"{info.mod_id}.zip"


def _is_installed(fetched: Fetched, installed: InstalledMods) -> bool:
    """Return whether a mod is installed already, byte for byte, alone and enabled."""
    files = installed.files_of(fetched.info.mod_id)
    return len(files) == 1 and files[0].enabled and files[0].sha256 == fetched.sha256


def _step(fetched: Fetched, installed: InstalledMods) -> Step:
    info = fetched.info
    known = installed.enabled().get(info.mod_id)
    before = None if known is None else known.version
    return Step(
        action=_action(before, info.version),
        mod_id=info.mod_id,
        name=info.name,
        from_version=before,
        to_version=info.version,
        file=file_name(info),
        replaces=[file.name for file in installed.files_of(info.mod_id)],
        suits=fetched.suits,
        origin=fetched.origin,
    )


def _action(before: str | None, after: str) -> Action:
    if before is None:
        return "install"
    if is_same(before, after):
        return "replace"
    return "update" if is_newer(after, before) else "downgrade"


def _change(added: list[Fetched], steps: list[Step], by: str) -> Change:
    change = Change(", ".join(_WORDS[step.action].format(**step.model_dump()) for step in steps))
    for fetched, step in zip(added, steps, strict=True):
        change.replaces.update(step.replaces)
        change.files.update(dict.fromkeys(step.replaces))
        change.files[step.file] = fetched.path
        change.records[step.mod_id] = Record(
            mod_id=step.mod_id,
            version=step.to_version,
            file=step.file,
            sha256=fetched.sha256,
            origin=fetched.origin,
            url=fetched.url,
            installed_at=clock.now(),
            installed_by=by,
        )
    return change
