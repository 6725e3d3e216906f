"""Two backends that `bedplate new` wrote, installed for the tests of the command line."""

import os
from pathlib import Path

import pytest

from bedplate.cli.names import Names
from bedplate.cli.new import render, write

NAMES = ("larknotes", "larksongs")
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\nSummary: Keeps {name}.\n"
ENTRY_POINTS = "[bedplate.backends]\n{name} = {name}.backend:backend\n"
COMMANDS = """
import typer

app = typer.Typer()


@app.command()
def greet(whom: str) -> None:
    typer.echo(f"Hello {whom}.")


@app.command()
def fail() -> None:
    raise RuntimeError("It\\nbroke.")


@app.command()
def hang() -> None:
    raise TimeoutError
"""


def _install(name: str, folder: Path) -> Path:
    """Write a backend and what an installer writes beside it; return the folder to import from."""
    files = render("project", Names(name).values(date="2026-11-21"))
    write(folder, files)
    information = folder / "src" / f"{name}-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(METADATA.format(name=name))
    (information / "entry_points.txt").write_text(ENTRY_POINTS.format(name=name))
    return folder / "src"


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give the folders that the backends `larknotes` and `larksongs` are imported from."""
    folder = tmp_path_factory.mktemp("installed")
    found = [_install(name, folder / name) for name in NAMES]
    (found[0] / "larknotes" / "commands.py").write_text(COMMANDS)
    declaration = found[0] / "larknotes" / "backend.py"
    text = declaration.read_text()
    declaration.write_text(
        text.replace(
            '    name="larknotes",\n',
            '    name="larknotes",\n    commands="larknotes.commands:app",\n',
        )
    )
    return found


@pytest.fixture
def backends(sources: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Install `larknotes` and `larksongs` for one test, in an empty working folder."""
    for folder in sources:
        monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(tmp_path)
    for variable in list(os.environ):
        if (
            variable.startswith(("LARKNOTES_", "LARKSONGS_", "BEDPLATE_"))
            or variable == "DATABASE_URL"
        ):
            monkeypatch.delenv(variable)
    return sources
