"""Which .NET a version of the game needs, and which are installed."""

import json
import os
import shutil
from pathlib import Path
from typing import Final

MISSING_RUNTIME: Final = 150
"""Exit code of the .NET host when it finds no suitable framework (LinuxGSM #4818)."""

_FRAMEWORK = "Microsoft.NETCore.App"
_MAJOR_BY_GAME = (((1, 22), 10), ((1, 21), 8), ((1, 19), 7))
"""The first game version of each major of .NET; before 1.19 it was mono."""

_USUAL_FOLDERS = ("/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet", "/opt/dotnet")


def needed_runtime(folder: Path, version: str | None) -> int | None:
    """Return the major version of .NET that an installation needs; None when it needs none.

    Its own `runtimeconfig.json` says so; else the version of the game does.
    """
    if not (folder / "VintagestoryServer.dll").exists():
        return None
    declared = _declared(folder / "VintagestoryServer.runtimeconfig.json")
    return declared or dotnet_by_version(version)


def dotnet_by_version(version: str | None) -> int | None:
    """Return the major version of .NET of a game version; None before 1.19, and if unknown."""
    numbers = (version or "").split("-")[0].split(".")[:2]
    if not all(part.isdigit() for part in numbers):
        return None
    known = tuple(map(int, numbers))
    return next((major for first, major in _MAJOR_BY_GAME if known >= first), None)


def runtime_by_version(version: str) -> str:
    """Return the name of the runtime that a game version needs."""
    major = dotnet_by_version(version)
    return "Mono" if major is None else f".NET {major}"


def installed_runtimes() -> dict[int, str]:
    """Return the installed major versions of .NET, each with one full version."""
    found: dict[int, str] = {}
    for root in dotnet_roots():
        shared = root / "shared" / _FRAMEWORK
        for entry in sorted(shared.iterdir()) if shared.is_dir() else ():
            major = entry.name.partition(".")[0]
            if major.isdigit():
                found[int(major)] = entry.name
    return found


def rolls_forward() -> bool:
    """Return whether the operator lets a program run on a later major version."""
    return os.environ.get("DOTNET_ROLL_FORWARD", "").lower() in {"major", "latestmajor"}


def find_dotnet() -> str | None:
    """Return the path of the `dotnet` program, if there is one."""
    for root in dotnet_roots():
        if os.access(root / "dotnet", os.X_OK):
            return os.fspath(root / "dotnet")
    return None


def dotnet_roots() -> list[Path]:
    """Return the folders where .NET may be, in the order in which the host looks for it."""
    given = os.environ.get("DOTNET_ROOT")
    if given:
        return [Path(given)]
    on_path = shutil.which("dotnet")
    found = [Path(on_path).resolve().parent] if on_path else []
    usual = [*map(Path, _USUAL_FOLDERS), Path.home() / ".dotnet"]
    return [*found, *(folder for folder in usual if folder not in found)]


def _declared(path: Path) -> int | None:
    try:
        options = json.loads(path.read_text("utf-8-sig"))["runtimeOptions"]
        frameworks = options.get("frameworks") or [options["framework"]]
        majors = [one["version"].partition(".")[0] for one in frameworks]
        return int(majors[0])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
