"""The mods of this server, changed: every way in leads through one plan and one exchange."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from bedplate import ids
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.mods.archives import check_mod
from gameserver.mods.changes import Change, Changes
from gameserver.mods.database import ModDatabase
from gameserver.mods.downloads import ModDownloads
from gameserver.mods.exceptions import GameIsRunning, InvalidModFile, ModConflict, ModNeeded
from gameserver.mods.fetching import DatabaseCatalogue, FileCache
from gameserver.mods.folder import DISABLED, FileKind, ModFile, sha256_of
from gameserver.mods.inventory import Inventory, Stock
from gameserver.mods.planning import Request, change_of, plan_of
from gameserver.mods.resolution import (
    Conflict,
    Fetched,
    Resolution,
    Resolver,
    Wish,
    flaws,
    needed_by,
)
from gameserver.mods.restarts import Restarts
from gameserver.mods.schemas import ChangeOptions, ClientMod, ClientMods
from gameserver.mods.state import Origin
from gameserver.mods.updates import Updates
from gameserver.operations.progress import Progress

GameVersion = Callable[[], Awaitable[str | None]]
Outcome = dict[str, JsonValue]


@dataclass(frozen=True)
class ModSources:
    """Where mods come from: the database, its files, and those that were fetched before."""

    database: ModDatabase
    downloads: ModDownloads
    files: FileCache


class ModLibrary:
    """Plans and makes changes of mods, one at a time."""

    def __init__(
        self,
        layout: Layout,
        inventory: Inventory,
        changes: Changes,
        sources: ModSources,
        restarts: Restarts,
        events: Events,
        game_version: GameVersion,
    ) -> None:
        self._layout = layout
        self.inventory = inventory
        self._changes = changes
        self.database = sources.database
        self._sources = sources
        self.updates = Updates(sources.database, inventory)
        self._restarts = restarts
        self._events = events
        self.game_version = game_version
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def staging(self) -> AsyncIterator[Path]:
        """Give an empty folder on the file system of Mods/, which is removed afterwards."""
        folder = self._layout.staging / f"mods-{ids.token(8)}"
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def plan(self, request: Request, progress: Progress) -> Outcome:
        """Return what a request would do; nothing in Mods/ changes."""
        async with self.staging() as staging:
            resolution, stock, game = await self._resolve(request, staging, progress)
            plan = plan_of(resolution, stock, game)
        return {"plan": plan.model_dump(mode="json")}

    async def install(
        self, request: Request, options: ChangeOptions, progress: Progress, *, by: str
    ) -> Outcome:
        """Carry a request out, or raise `ModConflict` naming everything that stands against it.

        Also raises what fetching and exchanging files raise; then no mod has changed.
        """
        async with self._turn, self.staging() as staging:
            resolution, stock, game = await self._resolve(request, staging, progress)
            if resolution.conflicts:
                raise ModConflict([conflict.as_dict() for conflict in resolution.conflicts])
            plan = plan_of(resolution, stock, game)
            change = change_of(resolution, stock, by=by)
            if not change.files:
                return {"plan": plan.model_dump(mode="json"), "changed": False}
            outcome = await self._make(change, options, staging, progress, by=by)
        return {"plan": plan.model_dump(mode="json"), **outcome}

    async def remove(self, mod_id: str, options: ChangeOptions, progress: Progress, *, by: str,
                     force: bool) -> Outcome:  # fmt: skip
        """Take a mod out of Mods/. Raises `ModNotInstalled`, `ModNeeded`."""
        async with self._turn, self.staging() as staging:
            stock = await self.inventory.stock()
            names = [file.name for file in stock.files_of(mod_id)]
            self._refuse_needed(stock, mod_id, force=force)
            change = Change(f"{mod_id} removed", dict.fromkeys(names), set(names), {mod_id: None})
            return await self._make(change, options, staging, progress, by=by)

    async def switch(self, mod_id: str, options: ChangeOptions, progress: Progress, *, by: str,
                     enable: bool, force: bool = False) -> Outcome:  # fmt: skip
        """Make the game load a mod, or not.

        Raises `ModNotInstalled`, `ModNeeded`, and `ModConflict` when it lacks what it depends on.
        """
        async with self._turn, self.staging() as staging:
            stock = await self.inventory.stock()
            files = [file for file in stock.files_of(mod_id) if file.enabled is not enable]
            if not enable:
                self._refuse_needed(stock, mod_id, force=force)
            elif not force:
                self._refuse_lacking(stock, files, await self.game_version())
            self._refuse_unswitchable(mod_id, files)
            if not files:
                return {"changed": False}
            change = await asyncio.to_thread(self._renames, mod_id, files, staging, enable=enable)
            return await self._make(change, options, staging, progress, by=by)

    async def roll_back(self, change_id: str | None, options: ChangeOptions, progress: Progress,
                        *, by: str, force: bool) -> Outcome:  # fmt: skip
        """Bring back the mods as they were before a change, by default the last."""

        async def undo() -> Outcome:
            text = await self._changes.undo(change_id, staging, force=force)
            self._announce(text, by)
            return {"changed": True, "text": text}

        async with self._turn, self.staging() as staging:
            return await self._restarts.around(undo, None, options, progress, by=by)

    async def pin(self, mod_id: str, *, pinned: bool) -> None:
        """Keep a mod at its version, or let it be updated again. Raises `ModNotInstalled`."""
        async with self._turn:
            (await self.inventory.stock()).files_of(mod_id)
            async with self.inventory.document.change() as state:
                others = [one for one in state.pinned if one != mod_id]
                state.pinned = sorted([*others, mod_id]) if pinned else others

    async def check_upload(self, path: Path) -> Fetched:
        """Return the mod in a file. Raises `InvalidModFile`."""
        info = await asyncio.to_thread(check_mod, path)
        return Fetched(info, path, await asyncio.to_thread(sha256_of, path), Origin.UPLOAD)

    def refuse_running(self, options: ChangeOptions) -> None:
        """Raise `GameIsRunning` unless the game is down or may be restarted."""
        if self._restarts.is_up() and not options.restart:
            raise GameIsRunning

    async def refuse_absent(self, mod_ids: Iterable[str]) -> None:
        """Raise `ModNotInstalled` unless all of these mods are here."""
        stock = await self.inventory.stock()
        for mod_id in mod_ids:
            stock.files_of(mod_id)

    async def refuse_needed(self, mod_id: str, *, force: bool) -> None:
        """Raise `ModNotInstalled` or `ModNeeded` before any work begins."""
        stock = await self.inventory.stock()
        stock.files_of(mod_id)
        self._refuse_needed(stock, mod_id, force=force)

    async def client_mods(self) -> ClientMods:
        """Return what players need: enabled mods that say that a client must have them."""
        stock = await self.inventory.stock()
        needed = [
            info
            for info in stock.enabled().values()
            if info.side != "server" and info.required_on_client
        ]
        return ClientMods(
            game_version=await self.game_version(),
            mods=[
                ClientMod(
                    mod_id=info.mod_id,
                    name=info.name,
                    version=info.version,
                    url=stock.url_of(info),
                )
                for info in sorted(needed, key=lambda info: info.mod_id)
            ],
        )

    async def _resolve(
        self, request: Request, staging: Path, progress: Progress
    ) -> tuple[Resolution, Stock, str | None]:
        game = await self.game_version()
        stock = await self.inventory.stock()
        catalogue = DatabaseCatalogue(
            self._sources.database,
            self._sources.downloads,
            self._sources.files,
            staging,
            game=game,
            any_game_version=request.any_game_version,
        )
        progress.report(0.05, "Asks the mod database.")
        wishes = [*request.wishes, *await self._wished_updates(request, game)]
        given = list(request.given)
        if request.url is not None:
            given.append(await self._from_url(request, staging))
        progress.report(0.1, "Fetches files.")
        resolver = Resolver(stock.present(), catalogue, game)
        return await resolver.resolve(wishes, given), stock, game

    async def _wished_updates(self, request: Request, game: str | None) -> list[Wish]:
        if not request.update_all and request.update is None:
            return []
        found = await self.updates.check(game, any_game_version=request.any_game_version)
        return [
            Wish(update.mod_id, update.newest)
            for update in found.updates
            if (update.mod_id in request.update if request.update else not update.pinned)
        ]

    async def _from_url(self, request: Request, staging: Path) -> Fetched:
        path = staging / f"{ids.token(8)}.zip"
        url = str(request.url)
        await self._sources.downloads.fetch(url, path)
        info = await asyncio.to_thread(check_mod, path)
        if request.url_mod_id not in {None, info.mod_id}:
            raise InvalidModFile("The file is another mod than the one that was asked for.")
        return Fetched(info, path, await asyncio.to_thread(sha256_of, path), Origin.URL, url)

    async def _make(
        self,
        change: Change,
        options: ChangeOptions,
        staging: Path,
        progress: Progress,
        *,
        by: str,
    ) -> Outcome:
        async def make() -> Outcome:
            generation = await self._changes.make(change, staging, by=by)
            self._announce(change.text, by)
            return {"changed": True, "change": generation.id, "text": change.text}

        async def undo() -> None:
            async with self.staging() as folder:
                text = await self._changes.undo(None, folder, force=True)
            self._announce(text, by)

        return await self._restarts.around(make, undo, options, progress, by=by)

    def _announce(self, text: str, by: str) -> None:
        self._events.publish(EventKind.MODS_CHANGED, f"{text}.", by=by)

    @staticmethod
    def _refuse_needed(stock: Stock, mod_id: str, *, force: bool) -> None:
        names = needed_by(stock.enabled(), mod_id)
        if names and not force:
            raise ModNeeded(names)

    @staticmethod
    def _refuse_lacking(stock: Stock, files: list[ModFile], game: str | None) -> None:
        new = {file.info.mod_id: file.info for file in files if file.info is not None}
        lacking = [one for one in flaws({**stock.enabled(), **new}, game) if one.needed_by in new]
        if lacking:
            raise ModConflict([conflict.as_dict() for conflict in lacking])

    @staticmethod
    def _refuse_unswitchable(mod_id: str, files: list[ModFile]) -> None:
        if any(file.kind is FileKind.FOLDER for file in files):
            text = f"{mod_id} is a folder, which the game loads under any name; remove it instead."
            raise ModConflict([Conflict("folder", mod_id, text).as_dict()])

    def _renames(self, mod_id: str, files: list[ModFile], staging: Path, *, enable: bool) -> Change:
        """Return the change that gives files their other name. Blocking: it copies them."""
        change = Change(f"{mod_id} {'enabled' if enable else 'disabled'}")
        for number, file in enumerate(files):
            copy = staging / f"renamed-{number}"
            shutil.copy2(self.inventory.folder.path / file.name, copy, follow_symlinks=False)
            bare = file.name.removesuffix(DISABLED)
            change.files[file.name] = None
            change.files[bare if enable else f"{bare}{DISABLED}"] = copy
            change.replaces.add(file.name)
        return change
