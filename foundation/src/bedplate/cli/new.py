"""`bedplate new`: creates a small, complete backend from the folder `template`.

The template is text files with placeholders such as `{{name}}`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path, PurePath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import orjson
import typer

from bedplate import clock
from bedplate.cli.exceptions import CommandError
from bedplate.cli.installed import installed
from bedplate.cli.main import COMMANDS
from bedplate.cli.names import check_name

_TEMPLATE = Path(__file__).with_name("template")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def new(
    name: str,
    directory: Annotated[
        Path | None,
        typer.Option(help="The new folder; default: NAME, in a workspace next to the others."),
    ] = None,
) -> None:
    """Create a new backend: one table, five routes, migrations, and tests on both databases."""
    taken = {*COMMANDS, *installed(), "tests"}
    names = check_name(name, taken=taken, identifiers=identifiers())
    workspace = Workspace.around((directory or Path()).absolute())
    target = directory or (workspace.place(name) if workspace else Path(name))
    member = workspace is not None and workspace.holds(target.absolute())
    values = names.values(date=clock.now().date().isoformat())
    files = render("project", values)
    if not member:
        # What a workspace has at its root: tool settings, scripts, and the source of Bedplate.
        for path, text in render("standalone", {**values, "sources": _sources()}).items():
            files[path] = files.get(path, "") + text
    write(target, files)
    typer.echo(f"Wrote {target}: start reading at {target / 'src' / name / 'backend.py'}.")
    typer.echo(
        f"Next: scripts/check && scripts/test && scripts/run {name}"
        if member
        else f"Next: cd {target} && scripts/check && scripts/test && uv run bedplate run {name}"
    )


@dataclass(frozen=True)
class Workspace:
    """A uv workspace that Bedplate itself is a member of: tools and scripts are at its root."""

    root: Path
    members: tuple[str, ...]

    @classmethod
    def around(cls, folder: Path) -> "Workspace | None":
        """Return the workspace that a folder is in, or would be."""
        for root in (folder, *folder.parents):
            project = root / "pyproject.toml"
            if not project.is_file():
                continue
            uv = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {}).get("uv", {})
            if uv.get("sources", {}).get("bedplate") == {"workspace": True} and "workspace" in uv:
                return cls(root, tuple(uv["workspace"].get("members", ())))
        return None

    def place(self, name: str) -> Path:
        """Return the folder of a new member, by a pattern such as `backends/*`."""
        for pattern in self.members:
            if pattern.endswith("/*"):
                return self.root / pattern.removesuffix("/*") / name
        return Path(name)

    def holds(self, folder: Path) -> bool:
        """Return whether one of the patterns makes a folder a member."""
        if not folder.is_relative_to(self.root):
            return False
        inside = folder.relative_to(self.root)
        return any(
            len(PurePath(pattern).parts) == len(inside.parts) and inside.match(pattern)
            for pattern in self.members
        )


def render(part: str, values: Mapping[str, str]) -> dict[Path, str]:
    """Return the files of a part of the template: relative path and text."""
    return {
        Path(_fill(str(path.relative_to(_TEMPLATE / part)), values).removesuffix(".txt")): (
            _sort_imports(_fill(path.read_text(encoding="utf-8"), values), values["name"])
        )
        for path in _files(part)
    }


def identifiers() -> set[str]:
    """Return every capitalised word in the sources of the template."""
    texts = (path.read_text(encoding="utf-8") for path in _files("project"))
    return {word for text in texts for word in re.findall(r"[A-Z]\w+", _PLACEHOLDER.sub(" ", text))}


def _files(part: str) -> list[Path]:
    return sorted(path for path in (_TEMPLATE / part).rglob("*.txt") if path.is_file())


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _sort_imports(text: str, name: str) -> str:
    """Return the text with the imports of `bedplate` and `name` in the order that ruff wants."""
    line = rf"from (?:bedplate|{name})(?:\.\w+)* import .*\n"
    return re.sub(rf"^(?:{line})+", _by_module, text, flags=re.MULTILINE)


def _by_module(imports: re.Match[str]) -> str:
    return "".join(sorted(imports[0].splitlines(keepends=True), key=lambda line: line.split()[1]))


def write(target: Path, files: dict[Path, str]) -> None:
    """Write the files into a new folder. Raises `CommandError` if it exists."""
    try:
        target.mkdir(parents=True)
        for path, text in files.items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            if text.startswith("#!"):
                file.chmod(0o755)
    except FileExistsError:
        reason = "already exists: choose another name, or --directory."
        raise CommandError(f"{target} {reason}") from None
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror}.") from error


def _sources() -> str:
    """Return the table that points uv to a Bedplate installed from a folder (PEP 610), else ""."""
    text = distribution("bedplate").read_text("direct_url.json")
    origin: dict[str, Any] = orjson.loads(text) if text else {}
    parts = urlsplit(origin.get("url", ""))
    if parts.scheme != "file" or "dir_info" not in origin:
        return ""
    path = orjson.dumps(unquote(parts.path)).decode()
    return f"\n[tool.uv.sources]\nbedplate = {{ path = {path}, editable = true }}\n"
