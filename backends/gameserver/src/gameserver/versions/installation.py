"""Which versions of the game are installed, and which of them runs."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from bedplate.documents import Document
from gameserver.layout import Layout
from gameserver.versions.exceptions import VersionNotInstalled
from gameserver.versions.numbers import NoVersionNumber, VersionNumber, is_version


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed version of the game: its number, and the folder that holds it and no other."""

    version: str
    folder: Path


class InstalledState(BaseModel):
    """What is kept of the installed versions across restarts.

    current   the version that runs; None before the first installation
    worlds    of each world (the save's file name) the newest version that has run it
    """

    current: str | None = None
    worlds: dict[str, str] = Field(default_factory=dict)


def installed_document(layout: Layout) -> Document[InstalledState]:
    """Return the document that names the current version: the one thing a switch writes."""
    return Document(layout.state / "installed.json", InstalledState, default=InstalledState)


class Installed:
    """The installed versions, each in a folder of its own beside the others."""

    def __init__(self, layout: Layout, document: Document[InstalledState]) -> None:
        self._layout = layout
        self._document = document

    def folder(self, version: str) -> Path:
        """Return the folder that a version has, or would have. Raises `NoVersionNumber`."""
        if not is_version(version):
            raise NoVersionNumber("A version looks like 1.22.7 or 1.22.0-rc.3.")
        return self._layout.servers / version

    async def list(self) -> list[Installation]:
        """Return every installed version, the newest first."""
        return await asyncio.to_thread(_found_in, self._layout.servers)

    async def find(self, version: str) -> Installation:
        """Return an installed version. Raises `VersionNotInstalled`."""
        for installation in await self.list():
            if installation.version == version:
                return installation
        raise VersionNotInstalled(version)

    async def current(self) -> Installation | None:
        """Return the version that runs; None when none was chosen, or its folder is gone."""
        version = (await self._document.read()).current
        if version is None:
            return None
        return next((one for one in await self.list() if one.version == version), None)

    async def select(self, version: str) -> None:
        """Make an installed version the current one, in one write. Raises `VersionNotInstalled`."""
        await self.find(version)
        async with self._document.change() as state:
            state.current = version

    async def deselect(self) -> None:
        """Leave no version current, as before the first installation."""
        async with self._document.change() as state:
            state.current = None

    async def world_version(self, world: str) -> str | None:
        """Return the newest version that has run a world, by the save's file name."""
        return (await self._document.read()).worlds.get(world)

    async def ran_world(self, world: str, version: str) -> None:
        """Remember that a version starts with a world: from now on it may have changed it."""
        async with self._document.change() as state:
            known = state.worlds.get(world)
            if known is None or VersionNumber.parse(known) < VersionNumber.parse(version):
                state.worlds[world] = version

    async def restored_world(self, world: str, version: str | None) -> None:
        """Remember which version had run the world that a restore has just put in place."""
        async with self._document.change() as state:
            if version is None:
                state.worlds.pop(world, None)
            else:
                state.worlds[world] = version


def _found_in(servers: Path) -> list[Installation]:
    """Return the versions below a folder. A link is none: it may lead anywhere."""
    if not servers.is_dir():
        return []
    found = [
        Installation(folder.name, folder)
        for folder in servers.iterdir()
        if is_version(folder.name) and folder.is_dir() and not folder.is_symlink()
    ]
    return sorted(found, key=lambda one: VersionNumber.parse(one.version), reverse=True)
