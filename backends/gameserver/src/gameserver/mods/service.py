"""Changes of the mods of this server: each is planned first, then made as one transaction."""

import asyncio
import shutil
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from gameserver.disk import staged_folder
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.mods.changes import Change, Changes
from gameserver.mods.database import ModDatabase
from gameserver.mods.exceptions import ModConflict, ModNotInstalled, ModRequired
from gameserver.mods.folder import DISABLED, FileKind, ModFile
from gameserver.mods.inventory import InstalledMods, Inventory
from gameserver.mods.planning import GameVersion, ModRequest, Planner, find_updates
from gameserver.mods.resolution import Conflict, flaws
from gameserver.mods.restarts import Outcome, Restarts
from gameserver.mods.schemas import ChangeOptions, ClientMods, ModUpdates, RemoveMod, RollBack
from gameserver.operations.progress import Progress


@dataclass(frozen=True)
class ModLibrary:
    """Changes mods, one change at a time."""

    layout: Layout
    inventory: Inventory
    changes: Changes
    database: ModDatabase
    planner: Planner
    restarts: Restarts
    events: Events
    game_version: GameVersion
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def staging(self) -> AbstractAsyncContextManager[Path]:
        """Open an empty folder on the file system of Mods/, which is removed afterwards."""
        return staged_folder(self.layout.staging, "mods")

    async def plan(self, request: ModRequest, progress: Progress, *, by: str) -> Outcome:
        """Return what a request would do; nothing in Mods/ changes."""
        async with self.staging() as staging:
            plan, _ = await self.planner.plan(request, staging, progress, by=by)
        return {"plan": plan.model_dump(mode="json")}

    async def install(
        self, request: ModRequest, options: ChangeOptions, progress: Progress, *, by: str
    ) -> Outcome:
        """Meet a request. Raises `ModConflict` with every conflict.

        Also raises what downloads and file transactions raise; then no mod has changed.
        """
        async with self._turn, self.staging() as staging:
            plan, change = await self.planner.plan(request, staging, progress, by=by)
            if plan.conflicts:
                raise ModConflict(plan.conflicts)
            outcome: Outcome = {"changed": False}
            if change.files:
                outcome = await self._make(change, options, staging, progress, by=by)
        return {"plan": plan.model_dump(mode="json"), **outcome}

    async def remove(
        self, mod_id: str, options: RemoveMod, progress: Progress, *, by: str
    ) -> Outcome:
        """Remove a mod from Mods/. Raises `ModNotInstalled`, `ModRequired`."""
        async with self._turn, self.staging() as staging:
            installed = await self.check_removable(mod_id, force=options.force)
            names = [file.name for file in installed.files_of(mod_id)]
            change = Change(f"{mod_id} removed", dict.fromkeys(names), set(names), {mod_id: None})
            return await self._make(change, options, staging, progress, by=by)

    async def switch(
        self, mod_id: str, options: RemoveMod, progress: Progress, *, by: str, enable: bool
    ) -> Outcome:
        """Enable or disable a mod.

        Raises `ModNotInstalled`, `ModRequired`, and `ModConflict` for a missing dependency.
        """
        async with self._turn, self.staging() as staging:
            if enable:
                installed = await self.check_installed(mod_id)
            else:
                installed = await self.check_removable(mod_id, force=options.force)
            files = [file for file in installed.files_of(mod_id) if file.enabled is not enable]
            if enable and not options.force:
                _check_requirements(installed, files, await self.game_version())
            if any(file.kind is FileKind.FOLDER for file in files):
                text = "is a folder, which the game loads under any name; remove it instead."
                raise ModConflict([Conflict("folder", mod_id, f"{mod_id} {text}").as_dict()])
            if not files:
                return {"changed": False}
            change = await asyncio.to_thread(self._renames, mod_id, files, staging, enable=enable)
            return await self._make(change, options, staging, progress, by=by)

    async def roll_back(self, options: RollBack, progress: Progress, *, by: str) -> Outcome:
        """Restore the mods from before a change, by default the last."""

        async def undo() -> Outcome:
            text = await self.changes.undo(options.change, staging, force=options.force)
            self._announce(text, by)
            return {"changed": True, "text": text}

        async with self._turn, self.staging() as staging:
            return await self.restarts.around(undo, None, options, progress, by=by)

    async def pin(self, mod_id: str, *, pinned: bool) -> None:
        """Keep a mod at its version, or let it be updated again. Raises `ModNotInstalled`."""
        async with self._turn:
            await self.check_installed(mod_id)
            async with self.inventory.document.change() as state:
                others = {pinned_id for pinned_id in state.pinned if pinned_id != mod_id}
                state.pinned = sorted(others | {mod_id} if pinned else others)

    async def check_installed(self, *mod_ids: str) -> InstalledMods:
        """Return the installed mods. Raises `ModNotInstalled` unless these are among them."""
        installed = await self.inventory.installed()
        if not all(map(installed.files_of, mod_ids)):
            raise ModNotInstalled
        return installed

    async def check_removable(self, mod_id: str, *, force: bool) -> InstalledMods:
        """Return the installed mods. Raises `ModNotInstalled`, and `ModRequired` unless forced."""
        installed = await self.check_installed(mod_id)
        enabled = installed.enabled().values()
        needed_by = sorted(info.mod_id for info in enabled if mod_id in info.dependencies)
        if needed_by and not force:
            raise ModRequired(needed_by)
        return installed

    async def updates(self) -> ModUpdates:
        """Return the mods that could be updated. Raises `ModDatabaseUnavailable`."""
        installed = await self.inventory.installed()
        return await find_updates(self.database, installed, await self.game_version())

    async def client_mods(self) -> ClientMods:
        """Return the mods that players need."""
        return (await self.inventory.installed()).client_mods(await self.game_version())

    async def _make(
        self, change: Change, options: ChangeOptions, staging: Path, progress: Progress, *, by: str
    ) -> Outcome:
        async def make() -> Outcome:
            generation = await self.changes.make(change, staging, by=by)
            self._announce(change.text, by)
            return {"changed": True, "change": generation.id, "text": change.text}

        async def undo() -> None:
            async with self.staging() as folder:
                text = await self.changes.undo(None, folder, force=True)
            self._announce(text, by)

        return await self.restarts.around(make, undo, options, progress, by=by)

    def _announce(self, text: str, by: str) -> None:
        self.events.publish(EventKind.MODS_CHANGED, f"{text}.", by=by)

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


def _check_requirements(installed: InstalledMods, files: list[ModFile], game: str | None) -> None:
    """Raise `ModConflict` if files would be enabled without what they depend on."""
    new = {file.info.mod_id: file.info for file in files if file.info is not None}
    conflicts = [
        flaw.as_dict()
        for flaw in flaws({**installed.enabled(), **new}, game)
        if flaw.needed_by in new
    ]
    if conflicts:
        raise ModConflict(conflicts)
