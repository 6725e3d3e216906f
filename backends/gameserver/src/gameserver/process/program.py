"""Which program the game is, and what it is started with."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gameserver.layout import Layout
from gameserver.process.runtimes import find_dotnet
from gameserver.settings import GameServerSettings
from gameserver.versions.installation import Installed

APPHOST: Final = "VintagestoryServer"
ASSEMBLY: Final = "VintagestoryServer.dll"
MONO_PROGRAM: Final = "VintagestoryServer.exe"
DEFAULT_PORT: Final = 42420

_PASSED_ON = {
    "HOME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "SHELL", "SSL_CERT_DIR",
    "SSL_CERT_FILE", "TMPDIR", "TZ", "USER",
}  # fmt: skip
_PASSED_PREFIXES = ("DOTNET_", "LC_", "MONO_")


@dataclass(frozen=True)
class Program:
    """How the game is started.

    command: with all arguments. folder: of its installation; None for one of the operator's own,
    and for the stand-in. version: None when it isn't known before it starts.
    """

    command: tuple[str, ...]
    folder: Path | None = None
    version: str | None = None
    simulated: bool = False


class Programs:
    """Finds the program that runs."""

    def __init__(self, settings: GameServerSettings, layout: Layout, installed: Installed) -> None:
        self._settings = settings
        self._layout = layout
        self._installed = installed

    async def find(self) -> Program | None:
        """Return the operator's own command, else the installed version, else the stand-in.

        In production there is no stand-in: None says that nothing is installed.
        """
        if self._settings.game_command is not None:
            return Program(self._with_arguments(*shlex.split(self._settings.game_command)))
        installation = await self._installed.current()
        if installation is not None:
            command = self._with_arguments(*_command_in(installation.folder))
            return Program(command, installation.folder, installation.version)
        if self._settings.production:
            return None
        simulator = self._with_arguments(sys.executable, "-m", "gameserver.simulator")
        return Program(simulator, simulated=True)

    def _with_arguments(self, *command: str) -> tuple[str, ...]:
        settings = self._settings
        port = () if settings.game_port is None else ("--port", str(settings.game_port))
        own = shlex.split(settings.game_arguments)
        data = os.fspath(self._layout.server_data.absolute())
        return (*command, "--dataPath", data, *port, *own)

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the game: nothing that only the manager may know."""
        wanted = self._settings.game_environment
        given = {name: value.get_secret_value() for name, value in wanted.items()}
        temporary = os.fspath(self._layout.server_data.absolute() / "Cache")
        return {**passed_on(os.environ), "SQLITE_TMPDIR": temporary, **given}


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the game may see."""
    return {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or name.startswith(_PASSED_PREFIXES)
    }


def _command_in(folder: Path) -> tuple[str, ...]:
    apphost, assembly = folder / APPHOST, folder / ASSEMBLY
    if os.access(apphost, os.X_OK):
        return (os.fspath(apphost.absolute()),)
    if assembly.exists():
        return (find_dotnet() or "dotnet", os.fspath(assembly.absolute()))
    if (folder / MONO_PROGRAM).exists():
        return ("mono", os.fspath((folder / MONO_PROGRAM).absolute()))
    return (os.fspath(apphost.absolute()),)
