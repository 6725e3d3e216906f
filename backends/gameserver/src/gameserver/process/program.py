"""What a program of the game is, which command starts it, and which .NET runtime it needs."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

APPHOST: Final = "VintagestoryServer"
ASSEMBLY: Final = "VintagestoryServer.dll"
MONO_PROGRAM: Final = "VintagestoryServer.exe"
DEFAULT_PORT: Final = 42420

MISSING_RUNTIME: Final = 150
"""Exit code of the .NET host when it finds no suitable framework (LinuxGSM #4818)."""

_FRAMEWORK = "Microsoft.NETCore.App"
_MAJOR_BY_GAME = (((1, 22), 10), ((1, 21), 8), ((1, 19), 7))
"""The first game version of each major of .NET; before 1.19 it was mono."""

_USUAL_FOLDERS = ("/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet", "/opt/dotnet")

_PASSED_ON = {
    "HOME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "SHELL", "SSL_CERT_DIR",
    "SSL_CERT_FILE", "TMPDIR", "TZ", "USER",
}  # fmt: skip
_PASSED_PREFIXES = ("DOTNET_", "LC_", "MONO_")


@dataclass(frozen=True)
class Program:
    """How the game is started.

    command     with all arguments
    folder      of the installation; None for the operator's own command and for the stand-in
    version     None when it isn't known before the start
    simulated   whether it is the stand-in
    """

    command: tuple[str, ...]
    folder: Path | None = None
    version: str | None = None
    simulated: bool = False


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the game may see."""
    return {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or name.startswith(_PASSED_PREFIXES)
    }


def command_in(folder: Path) -> tuple[str, ...]:
    """Return the command that starts the installation in a folder."""
    folder = folder.absolute()
    if not os.access(folder / APPHOST, os.X_OK):
        if (folder / ASSEMBLY).exists():
            return (find_dotnet() or "dotnet", str(folder / ASSEMBLY))
        if (folder / MONO_PROGRAM).exists():
            return ("mono", str(folder / MONO_PROGRAM))
    return (str(folder / APPHOST),)


def needed_runtime(folder: Path, version: str | None) -> int | None:
    """Return the major version of .NET that an installation needs; None when it needs none.

    It is in its `runtimeconfig.json`, and otherwise follows from the version of the game.
    """
    if not (folder / ASSEMBLY).exists():
        return None
    return _declared(folder / "VintagestoryServer.runtimeconfig.json") or dotnet_by_version(version)


def dotnet_by_version(version: str | None) -> int | None:
    """Return the major version of .NET that a game version needs; None if unknown or none."""
    numbers = (version or "").split("-")[0].split(".")[:2]
    if not all(part.isdigit() for part in numbers):
        return None
    game = tuple(map(int, numbers))
    return next((major for first, major in _MAJOR_BY_GAME if game >= first), None)


def runtime_by_version(version: str) -> str:
    """Return the name of the runtime that a game version needs."""
    major = dotnet_by_version(version)
    return "Mono" if major is None else f".NET {major}"


def installed_runtimes() -> dict[int, str]:
    """Return the installed major versions of .NET, each with one full version."""
    versions: dict[int, str] = {}
    for root in dotnet_roots():
        shared = root / "shared" / _FRAMEWORK
        for entry in sorted(shared.iterdir()) if shared.is_dir() else ():
            major = entry.name.partition(".")[0]
            if major.isdigit():
                versions[int(major)] = entry.name
    return versions


def rolls_forward() -> bool:
    """Return whether the operator lets a program run on a later major version."""
    return os.environ.get("DOTNET_ROLL_FORWARD", "").lower() in {"major", "latestmajor"}


def find_dotnet() -> str | None:
    """Return the path of the `dotnet` program, if there is one."""
    return shutil.which("dotnet", path=os.pathsep.join(map(str, dotnet_roots())))


def dotnet_roots() -> list[Path]:
    """Return the folders where .NET may be, in the order in which the host looks for it."""
    if root := os.environ.get("DOTNET_ROOT"):
        return [Path(root)]
    on_path = shutil.which("dotnet")
    roots = [Path(on_path).resolve().parent] if on_path else []
    usual = [*map(Path, _USUAL_FOLDERS), Path.home() / ".dotnet"]
    return [*roots, *(folder for folder in usual if folder not in roots)]


def _declared(path: Path) -> int | None:
    try:
        options = json.loads(path.read_text("utf-8-sig"))["runtimeOptions"]
        frameworks = options.get("frameworks") or [options["framework"]]
        return int(frameworks[0]["version"].partition(".")[0])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
