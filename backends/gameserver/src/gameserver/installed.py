"""The installed versions of the game, the current one, and the versions that ran each world."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field

from bedplate.documents import Document
from bedplate.problems import NotFound
from gameserver.layout import Layout
from gameserver.version_numbers import InvalidVersionNumber, VersionNumber, is_version, version_key


class VersionNotInstalled(NotFound):
    """There is no such version on this server."""

    code = "version_not_installed"
    detail = "This version is not installed."


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed version of the game, and the folder that holds only this version."""

    version: str
    folder: Path


class InstalledState(BaseModel):
    """What the manager stores about installed versions.

    current   the version to run; None before the first installation
    worlds    the newest version that has run each world, by the save's file name
    """

    current: str | None = None
    worlds: dict[str, str] = Field(default_factory=dict)


class InstalledVersions:
    """The installed versions, each in a folder of its own. A switch is one write of its state."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._document = Document(
            layout.state / "installed.json", InstalledState, default=InstalledState
        )

    def folder(self, version: str) -> Path:
        """Return the folder that a version has, or would have. Raises `InvalidVersionNumber`."""
        if not is_version(version):
            raise InvalidVersionNumber("A version looks like 1.22.7 or 1.22.0-rc.3.")
        return self._layout.servers / version

    async def list(self) -> list[Installation]:
        """Return every installed version, newest first."""
        return await asyncio.to_thread(_installations_in, self._layout.servers)

    async def find(self, version: str) -> Installation:
        """Return an installed version. Raises `VersionNotInstalled`."""
        for installation in await self.list():
            if installation.version == version:
                return installation
        raise VersionNotInstalled

    async def current(self) -> Installation | None:
        """Return the current version; None if none was selected, or its folder is gone."""
        version = (await self._document.read()).current
        return next((item for item in await self.list() if item.version == version), None)

    async def select(self, version: str | None) -> None:
        """Make a version the current one, in one write; None makes no version current.

        Raises `VersionNotInstalled`.
        """
        if version is not None:
            await self.find(version)
        async with self._document.change() as state:
            state.current = version

    async def stage_restore(self, folder: Path, world: str, version: str) -> dict[Path, Path]:
        """Stage the state in which `version` is current and has run a world.

        Returns what replaces what, for a file transaction. Raises `VersionNotInstalled`.
        """
        await self.find(version)
        state = await self._document.read()
        state.current, state.worlds[world] = version, version
        staged = folder / self._document.path.name
        await Document(staged, InstalledState, default=InstalledState).write(state)
        return {self._document.path: staged}

    async def world_version(self, world: str) -> str | None:
        """Return the newest version that has run a world, by the save's file name."""
        return (await self._document.read()).worlds.get(world)

    async def ran_world(self, world: str, version: str) -> None:
        """Record that a version is about to run a world, and so may change it."""
        async with self._document.change() as state:
            known = state.worlds.get(world)
            if known is None or VersionNumber.parse(known) < VersionNumber.parse(version):
                state.worlds[world] = version

    async def restored_world(self, world: str, version: str | None) -> None:
        """Record the version that had run a world which was just restored."""
        async with self._document.change() as state:
            if version is None:
                state.worlds.pop(world, None)
            else:
                state.worlds[world] = version


def _installations_in(servers: Path) -> list[Installation]:
    """Return the versions in a folder. Links don't count: they may lead anywhere."""
    installations = [
        Installation(folder.name, folder)
        for folder in servers.glob("*")
        if is_version(folder.name) and folder.is_dir() and not folder.is_symlink()
    ]
    return sorted(installations, key=lambda item: version_key(item.version), reverse=True)
