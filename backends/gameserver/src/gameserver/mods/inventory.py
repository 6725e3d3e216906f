"""The mods of this server: the files in Mods/, joined with the manager's records."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bedplate.documents import Document
from gameserver.mods.exceptions import ModNotInstalled
from gameserver.mods.folder import DISABLED, FileKind, ModFile, ModsFolder
from gameserver.mods.modinfo import ModInfo
from gameserver.mods.resolution import Present, flaws
from gameserver.mods.schemas import (
    ClientMod,
    ClientMods,
    InstalledMod,
    Mods,
    ModsState,
    Origin,
    Record,
)
from gameserver.version_numbers import is_newer

_ODDITIES: Final = {
    FileKind.LINK: "It is a link, which is never followed.",
    FileKind.OTHER: "The game doesn't load files of this kind.",
}


_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class InstalledMods:
    """Files and records, as they were at one moment."""

    files: list[ModFile]
    state: ModsState

    def enabled(self) -> dict[str, ModInfo]:
        """Return what the game loads, by id; of several files of one id, the newest version."""
        enabled: dict[str, ModInfo] = {}
        for info in (file.info for file in self.files if file.enabled and file.info is not None):
            known = enabled.get(info.mod_id)
            if known is None or is_newer(info.version, known.version):
                enabled[info.mod_id] = info
        return enabled

    def present(self) -> Present:
        """Return the mods that a resolution starts from."""
        enabled = self.enabled()
        ids = {file.info.mod_id for file in self.files if file.info is not None}
        return Present(enabled, frozenset(ids - enabled.keys()), frozenset(self.state.pinned))

    def files_of(self, mod_id: str) -> list[ModFile]:
        """Return every file of a mod."""
        return [file for file in self.files if file.info and file.info.mod_id == mod_id]

    def record_of(self, file: ModFile) -> Record | None:
        """Return the record of a file, if the manager installed it."""
        record = self.state.records.get(file.info.mod_id) if file.info is not None else None
        name = file.name.removesuffix(DISABLED)
        return record if record is not None and record.file == name else None

    def missing(self) -> list[str]:
        """Return the ids of mods whose file was removed by hand."""
        present = {file.name.removesuffix(DISABLED) for file in self.files}
        records = self.state.records.values()
        return sorted(record.mod_id for record in records if record.file not in present)

    def _url_of(self, info: ModInfo) -> str | None:
        """Return where this version's file came from, if it is known and unchanged."""
        for file in self.files:
            record = self.record_of(file)
            if record is not None and file.info == info and record.sha256 == file.sha256:
                return record.url
        return None

    def client_mods(self, game: str | None) -> ClientMods:
        """Return what players need: the enabled mods that clients must have, too."""
        mods = [
            ClientMod(mod_id=mod_id, name=info.name, version=info.version, url=self._url_of(info))
            for mod_id, info in sorted(self.enabled().items())
            if info.side != "server" and info.required_on_client
        ]
        return ClientMods(game_version=game, mods=mods)


@dataclass(frozen=True)
class Inventory:
    """Reads the mods of this server."""

    folder: ModsFolder
    document: Document[ModsState]

    async def installed(self) -> InstalledMods:
        """Return the files and records of this moment."""
        state = await self.document.read()
        return InstalledMods(await asyncio.to_thread(self.folder.files), state)

    async def mods(self, game: str | None, failed: Mapping[str, str] = _NONE) -> Mods:
        """Return all mods as responses show them; `game` is the installed version.

        `failed` is what the game said at its last start: why, by a mod's id or its file's name.
        """
        installed = await self.installed()
        return Mods(
            game_version=game,
            mods=[_to_response(file, installed, failed) for file in installed.files],
            missing=installed.missing(),
            problems=[flaw.as_dict() for flaw in flaws(installed.enabled(), game)],
        )

    async def mod(
        self, mod_id: str, game: str | None, failed: Mapping[str, str] = _NONE
    ) -> InstalledMod:
        """Return one mod. Raises `ModNotInstalled`."""
        for mod in (await self.mods(game, failed)).mods:
            if mod.mod_id == mod_id:
                return mod
        raise ModNotInstalled


def _to_response(
    file: ModFile, installed: InstalledMods, failed: Mapping[str, str]
) -> InstalledMod:
    info, record = file.info, installed.record_of(file)
    mod_id = info.mod_id if info is not None else None
    said = {name.lower(): why for name, why in failed.items()} if file.enabled else {}
    return InstalledMod(
        mod_id=mod_id,
        name=info.name if info is not None else file.name,
        version=info.version if info is not None else "",
        file=file.name,
        kind=file.kind,
        size=file.size,
        enabled=file.enabled,
        pinned=mod_id in installed.state.pinned,
        side=info.side if info is not None else None,
        required_on_client=info.required_on_client if info is not None else None,
        description=info.description if info is not None else "",
        authors=info.authors if info is not None else [],
        website=info.website if info is not None else "",
        dependencies=info.dependencies if info is not None else {},
        origin=record.origin if record is not None else Origin.HAND,
        changed_by_hand=record is not None and record.sha256 != file.sha256,
        installed_at=record.installed_at if record is not None else None,
        installed_by=record.installed_by if record is not None else None,
        problem=file.problem
        or _ODDITIES.get(file.kind)
        or said.get(mod_id or "")
        or said.get(file.name.lower()),
    )
