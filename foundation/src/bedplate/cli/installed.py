"""The backends that are installed: entry points of the group `bedplate.backends`.

Their names are read from the distributions' metadata; a backend is imported only when it is used.
"""

import ast
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bedplate.cli.exceptions import CommandError, UsageError, describe

if TYPE_CHECKING:
    from bedplate.backend import Backend

GROUP = "bedplate.backends"
COMMANDS_GROUP = "bedplate.commands"
"""Commands of a distribution that has several backends: name to "module:typer_app"."""


def installed(group: str = GROUP) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name, in the order of the names."""
    return {point.name: point for point in sorted(entry_points(group=group))}


def distribution_summary(point: EntryPoint) -> str:
    """Return the one line that the distribution of an entry point says about itself."""
    if point.dist is None or "Summary" not in point.dist.metadata:
        return ""
    return point.dist.metadata["Summary"]


def backend_summary(point: EntryPoint) -> str:
    """Return the summary that a backend declares, else that of its distribution.

    It is read from the source text, `backend = Backend(summary="…")`: importing a backend can take
    a second, too long for `--help`.
    """
    package, *submodules = point.module.split(".")
    try:
        spec = find_spec(package)  # of a top-level package: it imports nothing
        folders = (spec and spec.submodule_search_locations) or []
        source = Path(folders[0], *submodules).with_suffix(".py").read_bytes()
        return _declared_summary(ast.parse(source), point.attr)
    except Exception:  # noqa: BLE001 - a broken backend must not break `--help`
        return distribution_summary(point)


def _declared_summary(module: ast.Module, name: str) -> str:
    """Return the argument `summary` of the call that a module assigns to `name`, or raise."""
    for statement in module.body:
        match statement:
            case ast.Assign([ast.Name(target)], ast.Call(keywords=keywords)) if target == name:
                arguments = {keyword.arg: keyword.value for keyword in keywords}
                return str(ast.literal_eval(arguments["summary"]))
    raise ValueError(f"{name} declares no summary")


def load_all(names: Sequence[str] = ()) -> "list[Backend]":
    """Return the backends of these names, each once, or every installed one when none is named.

    Raises `UsageError` for an unknown name, `CommandError` when nothing is installed or an import
    fails.
    """
    points = installed()
    if not names and not points:
        raise CommandError(
            "No backend is installed: install one, or write one with `bedplate new NAME`."
        )
    backends = []
    for name in dict.fromkeys(names or points):
        if name not in points:
            listed = ", ".join(points) or "none"
            raise UsageError(
                f"No backend is named {name!r}. Installed: {listed}. "
                "In a workspace, scripts/run installs a new one."
            )
        try:
            backends.append(points[name].load())
        except Exception as error:
            reason = describe(error)
            raise CommandError(f"The backend {name} can't be imported ({reason}).") from error
    return backends


def load_one(name: str | None) -> "Backend":
    """Return the backend of that name, or the only installed one. Raises `CommandError`."""
    return only(load_all([name] if name else []))


def only(backends: "Sequence[Backend]") -> "Backend":
    """Return the only one of these backends. Raises `UsageError` when there are several."""
    if len(backends) > 1:
        names = ", ".join(backend.name for backend in backends)
        raise UsageError(f"There are several backends, name one of them: {names}.")
    return backends[0]
