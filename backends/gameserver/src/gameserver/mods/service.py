"""Changes of the mods of this server: each is planned first, then made as one transaction."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from pydantic import JsonValue

from bedplate import ids
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.mods.changes import Change, Changes
from gameserver.mods.exceptions import GameIsRunning, ModConflict, ModRequired
from gameserver.mods.folder import DISABLED, FileKind, ModFile
from gameserver.mods.inventory import InstalledMods, Inventory
from gameserver.mods.planning import (
    GameVersion,
    ModRequest,
    ModSources,
    Planner,
    change_of,
    plan_of,
)
from gameserver.mods.resolution import (
    Conflict,
    flaws,
    needed_by,
)
from gameserver.mods.restarts import Restarts
from gameserver.mods.schemas import ChangeOptions, ClientMods
from gameserver.mods.updates import Updates
from gameserver.operations.progress import Progress

Outcome = dict[str, JsonValue]


class ModLibrary:
    """Changes mods, one change at a time."""

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
        self.updates = Updates(sources.database, inventory)
        self._planner = Planner(inventory, sources, self.updates, game_version)
        self._restarts = restarts
        self._events = events
        self.game_version = game_version
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def staging(self) -> AsyncIterator[Path]:
        """Yield an empty folder on the file system of Mods/, which is removed afterwards."""
        folder = self._layout.staging / f"mods-{ids.token(8)}"
        await asyncio.to_thread(folder.mkdir, parents=True)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def plan(self, request: ModRequest, progress: Progress) -> Outcome:
        """Return what a request would do; nothing in Mods/ changes."""
        async with self.staging() as staging:
            resolution, installed, game = await self._planner.resolve(request, staging, progress)
            plan = plan_of(resolution, installed, game)
        return {"plan": plan.model_dump(mode="json")}

    async def install(
        self, request: ModRequest, options: ChangeOptions, progress: Progress, *, by: str
    ) -> Outcome:
        """Meet a request. Raises `ModConflict` with every conflict.

        Also raises what downloads and file transactions raise; then no mod has changed.
        """
        async with self._turn, self.staging() as staging:
            resolution, installed, game = await self._planner.resolve(request, staging, progress)
            if resolution.conflicts:
                raise ModConflict([conflict.as_dict() for conflict in resolution.conflicts])
            plan = plan_of(resolution, installed, game)
            change = change_of(resolution, installed, by=by)
            if not change.files:
                return {"plan": plan.model_dump(mode="json"), "changed": False}
            outcome = await self._make(change, options, staging, progress, by=by)
        return {"plan": plan.model_dump(mode="json"), **outcome}

    async def remove(self, mod_id: str, options: ChangeOptions, progress: Progress, *, by: str,
                     force: bool) -> Outcome:  # fmt: skip
        """Remove a mod from Mods/. Raises `ModNotInstalled`, `ModRequired`."""
        async with self._turn, self.staging() as staging:
            installed = await self.inventory.installed()
            names = [file.name for file in installed.files_of(mod_id)]
            self._check_not_required(installed, mod_id, force=force)
            change = Change(f"{mod_id} removed", dict.fromkeys(names), set(names), {mod_id: None})
            return await self._make(change, options, staging, progress, by=by)

    async def switch(self, mod_id: str, options: ChangeOptions, progress: Progress, *, by: str,
                     enable: bool, force: bool = False) -> Outcome:  # fmt: skip
        """Enable or disable a mod.

        Raises `ModNotInstalled`, `ModRequired`, and `ModConflict` for a missing dependency.
        """
        async with self._turn, self.staging() as staging:
            installed = await self.inventory.installed()
            files = [file for file in installed.files_of(mod_id) if file.enabled is not enable]
            if not enable:
                self._check_not_required(installed, mod_id, force=force)
            elif not force:
                self._check_requirements(installed, files, await self.game_version())
            self._check_files(mod_id, files)
            if not files:
                return {"changed": False}
            change = await asyncio.to_thread(self._renames, mod_id, files, staging, enable=enable)
            return await self._make(change, options, staging, progress, by=by)

    async def roll_back(self, change_id: str | None, options: ChangeOptions, progress: Progress,
                        *, by: str, force: bool) -> Outcome:  # fmt: skip
        """Restore the mods from before a change, by default the last."""

        async def undo() -> Outcome:
            text = await self._changes.undo(change_id, staging, force=force)
            self._announce(text, by)
            return {"changed": True, "text": text}

        async with self._turn, self.staging() as staging:
            return await self._restarts.around(undo, None, options, progress, by=by)

    async def pin(self, mod_id: str, *, pinned: bool) -> None:
        """Keep a mod at its version, or let it be updated again. Raises `ModNotInstalled`."""
        async with self._turn:
            (await self.inventory.installed()).files_of(mod_id)
            async with self.inventory.document.change() as state:
                others = [pinned_id for pinned_id in state.pinned if pinned_id != mod_id]
                state.pinned = sorted([*others, mod_id]) if pinned else others

    def check_game_stopped(self, options: ChangeOptions) -> None:
        """Raise `GameIsRunning` unless the game is stopped or may be restarted."""
        if self._restarts.is_up() and not options.restart:
            raise GameIsRunning

    async def check_installed(self, mod_ids: Iterable[str]) -> None:
        """Raise `ModNotInstalled` unless all of these mods are installed."""
        installed = await self.inventory.installed()
        for mod_id in mod_ids:
            installed.files_of(mod_id)

    async def check_not_required(self, mod_id: str, *, force: bool) -> None:
        """Raise `ModNotInstalled` or `ModRequired` before any work begins."""
        installed = await self.inventory.installed()
        installed.files_of(mod_id)
        self._check_not_required(installed, mod_id, force=force)

    async def client_mods(self) -> ClientMods:
        """Return the mods that players need."""
        return (await self.inventory.installed()).client_mods(await self.game_version())

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
    def _check_not_required(installed: InstalledMods, mod_id: str, *, force: bool) -> None:
        names = needed_by(installed.enabled(), mod_id)
        if names and not force:
            raise ModRequired(names)

    @staticmethod
    def _check_requirements(
        installed: InstalledMods, files: list[ModFile], game: str | None
    ) -> None:
        new = {file.info.mod_id: file.info for file in files if file.info is not None}
        lacking = [
            flaw for flaw in flaws({**installed.enabled(), **new}, game) if flaw.needed_by in new
        ]
        if lacking:
            raise ModConflict([conflict.as_dict() for conflict in lacking])

    @staticmethod
    def _check_files(mod_id: str, files: list[ModFile]) -> None:
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
