"""The game's program is found, checked and started. Each refusal says what to do."""

import asyncio
import contextlib
import errno
import os
import shlex
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate.problems import ProblemError
from gameserver import simulator
from gameserver.config_file import ConfigFile
from gameserver.console.service import Console
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.process.child import Child
from gameserver.process.exceptions import GameAlreadyRunning, GameNotInstalled, StartRefused
from gameserver.process.ownership import ProcessLock
from gameserver.process.program import (
    DEFAULT_PORT,
    Program,
    command_in,
    installed_runtimes,
    needed_runtime,
    passed_on,
    rolls_forward,
)
from gameserver.settings import GameServerSettings

_MAX_PORT: Final = 65_535
_MEGABYTE: Final = 1024 * 1024


@dataclass(eq=False)
class Launcher:
    """Finds the game's program, and starts its process, which inherits the `process_lock`."""

    settings: GameServerSettings
    layout: Layout
    installed: InstalledVersions
    process_lock: ProcessLock

    async def find_program(self) -> Program | None:
        """Return the operator's own command, else the installed version, else the stand-in.

        None when no version is current: in production, without `gameserver[simulator]`, and where
        versions are installed, since the stand-in would play the world that is meant for them.
        """
        if self.settings.game_command is not None:
            return Program(self._with_arguments(*shlex.split(self.settings.game_command)))
        installation = await self.installed.current()
        if installation is not None:
            command = self._with_arguments(*command_in(installation.folder))
            return Program(command, installation.folder, installation.version)
        if self.settings.production or (simulated := simulator.command()) is None:
            return None
        if await self.installed.list():
            return None
        return Program(self._with_arguments(*simulated), simulated=True)

    async def installation_hint(self) -> str | None:
        """Return how to get a program; None in production where no version is installed."""
        if installed := await self.installed.list():
            return (
                f"Version {installed[0].version} of the game is installed, but no version is the "
                "current one: a switch to it makes it that."
            )
        return None if self.settings.production else simulator.INSTALL_HINT

    async def check(self) -> Program:
        """Return the program to start. Raises `GameNotInstalled`, `StartRefused`."""
        program = await self.find_program()
        if program is None:
            raise GameNotInstalled(await self.installation_hint())
        await asyncio.to_thread(check_start, program, self.layout, self.settings)
        return program

    async def spawn(self, program: Program, console: Console) -> Child:
        """Start the process. Raises `StartRefused`, and `GameAlreadyRunning` when one runs."""
        lock = self.process_lock.acquire()
        if lock is None:
            raise GameAlreadyRunning("running")
        environment = self.environment()
        try:
            await asyncio.to_thread(Path(environment["SQLITE_TMPDIR"]).mkdir, exist_ok=True)
            return await Child.spawn(
                program.command,
                folder=program.folder or self.layout.server_data,
                environment=environment,
                inherited=[lock],
                on_output=console.feed,
                on_error_output=console.feed_error,
            )
        except OSError as error:
            why = (error.strerror or "the system refused").lower()
            raise StartRefused(f"The game's program can't be started: {why}.") from None
        finally:
            os.close(lock)

    def environment(self) -> dict[str, str]:
        """Return the complete environment of the game, which has none of the manager's secrets."""
        variables = self.settings.game_environment
        configured = {name: value.get_secret_value() for name, value in variables.items()}
        temporary = os.fspath(self.layout.server_data.absolute() / "Cache")
        # In some cultures times in the log have dots, and numbers commas.
        culture = {"LC_ALL": "C.UTF-8"}
        return {**passed_on(os.environ), **culture, "SQLITE_TMPDIR": temporary, **configured}

    def _with_arguments(self, *command: str) -> tuple[str, ...]:
        settings = self.settings
        port = () if settings.game_port is None else ("--port", str(settings.game_port))
        own = shlex.split(settings.game_arguments)
        data = os.fspath(self.layout.server_data.absolute())
        return (*command, "--dataPath", data, *port, *own)


def check_start(program: Program, layout: Layout, settings: GameServerSettings) -> None:
    """Raise `StartRefused` when the game could not run. Blocks.

    With little free disk space the game would end itself.
    """
    if program.folder is not None:
        _check_files(program.folder)
        _check_runtime(program.folder, program.version)
    _check_disk(layout.server_data, settings.min_free_megabytes)
    address, own_port = configured_address(layout.server_config)
    _check_port(address, settings.game_port or own_port)


def configured_address(server_config: Path) -> tuple[str, int]:
    """Return address and port from the game's own settings; defaults for what is unreadable."""
    settings = None
    with contextlib.suppress(ProblemError, OSError):
        settings = ConfigFile(server_config).read()
    if settings is None:
        return "", DEFAULT_PORT
    address, port = settings.get(("Ip",)), settings.get(("Port",))
    if not isinstance(port, int) or not 0 < port <= _MAX_PORT:
        port = DEFAULT_PORT
    return address if isinstance(address, str) else "", port


def _check_files(folder: Path) -> None:
    if not any((folder / f"VintagestoryServer{end}").exists() for end in ("", ".dll", ".exe")):
        raise StartRefused(
            f"The installation {folder.name} has no VintagestoryServer: install it again."
        )
    names = sorted(path.name for path in (folder / "assets").glob("version-*.txt"))
    if len(names) > 1:
        raise StartRefused(
            f"The installation {folder.name} holds files of several versions "
            f"({', '.join(names[:5])}), which the game refuses: install it again."
        )


def _check_runtime(folder: Path, version: str | None) -> None:
    needed = needed_runtime(folder, version)
    if needed is None:
        return
    installed = installed_runtimes()
    if needed in installed or (rolls_forward() and any(major > needed for major in installed)):
        return
    names = ", ".join(installed.values()) or "none"
    raise StartRefused(
        f"Version {version} of the game needs .NET {needed}; installed: {names}. "
        f"Install the .NET {needed} runtime, or set DOTNET_ROOT to where it is."
    )


def _check_disk(folder: Path, min_free_megabytes: int) -> None:
    free = shutil.disk_usage(folder).free // _MEGABYTE
    if free < min_free_megabytes:
        raise StartRefused(
            f"Only {free} MB of disk space are free, {min_free_megabytes} MB are needed: "
            "a full disk can damage the world."
        )


def _check_port(address: str, port: int) -> None:
    for kind, name in ((socket.SOCK_STREAM, "TCP"), (socket.SOCK_DGRAM, "UDP")):
        if _is_taken(address, port, kind):
            raise StartRefused(
                f"{name} port {port} is taken by another program: stop that, or change the port."
            )


def _is_taken(address: str, port: int, kind: int) -> bool:
    """Return whether another program listens there. The game reports any other obstacle."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False
