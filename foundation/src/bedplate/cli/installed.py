"""The backends that are installed: entry points of the group `bedplate.backends`.

Their names are read from the distributions' metadata; a backend is imported only when it is used.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from bedplate.cli.exceptions import CommandError, UsageError

if TYPE_CHECKING:
    from bedplate.backend import Backend

GROUP = "bedplate.backends"
COMMANDS_GROUP = "bedplate.commands"
"""Commands of a distribution that has several backends: name to "module:typer_app"."""


def installed() -> dict[str, EntryPoint]:
    """Return the entry point of each installed backend by name, in the order of the names."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def installed_commands() -> dict[str, EntryPoint]:
    """Return the entry point of each command that a distribution adds, by name."""
    return {point.name: point for point in sorted(entry_points(group=COMMANDS_GROUP))}


def summary(point: EntryPoint) -> str:
    """Return the one line that a backend's distribution says about itself."""
    if point.dist is None:
        return ""
    metadata = point.dist.metadata
    return metadata["Summary"] if "Summary" in metadata else ""  # noqa: SIM401 - it has no get


def load(name: str) -> "Backend":
    """Import an installed backend.

    Raises `UsageError` for an unknown name, `CommandError` when the import fails.
    """
    return _load(name, installed())


def _load(name: str, points: Mapping[str, EntryPoint]) -> "Backend":
    if name not in points:
        names = ", ".join(points) or "none"
        raise UsageError(f"No backend is named {name!r}. Installed: {names}.")
    try:
        backend: Backend = points[name].load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise CommandError(f"The backend {name} can't be imported ({reason}).") from error
    return backend


def load_all(names: Sequence[str] = ()) -> "list[Backend]":
    """Return the backends of these names, each once, or every installed one when none is named.

    Raises as `load` does, and `CommandError` when nothing is installed.
    """
    points = installed()
    found = [_load(name, points) for name in dict.fromkeys(names or points)]
    if not found:
        raise CommandError(
            "No backend is installed: install one, or write one with `bedplate new NAME`."
        )
    return found


def load_one(name: str | None) -> "Backend":
    """Return the backend of that name, or the only one that is installed.

    Raises as `load_all` does, and `UsageError` when there are several to choose from.
    """
    found = load_all([name] if name else [])
    if len(found) > 1:
        names = ", ".join(backend.name for backend in found)
        raise UsageError(f"Several backends are installed, name one of them: {names}.")
    return found[0]
