"""`bedplate new`: what it writes passes its own checks and tests."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bedplate.cli.main import main
from bedplate.testing.clock import SettableClock

Captured = pytest.CaptureFixture[str]
LINT_IMPORTS = (
    "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
)
WORKSPACE = """
[tool.uv.workspace]
members = ["foundation", "backends/*"]
[tool.uv.sources]
bedplate = { workspace = true }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder outside of any workspace."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(project: Path, *command: str) -> None:
    """Run a tool in a project; its output is the message when it fails."""
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    found = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", ["aalarks", "zzlarks", "lark_lines", "x" * 19 + "s", "y" * 20])
def test_what_is_written_is_formatted(folder: Path, name: str) -> None:
    """Ruff has nothing to say, whatever the length of the name and its place in the alphabet."""
    assert main(["new", name]) == 0
    run(folder / name, "-m", "ruff", "check", ".")
    run(folder / name, "-m", "ruff", "format", "--check", ".")


def test_what_is_written_passes_its_tests(folder: Path) -> None:
    """The tests of a new backend pass at once, on SQLite and on PostgreSQL."""
    assert main(["new", "larkmemos"]) == 0
    run(folder / "larkmemos", "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.soak  # mypy on an empty cache takes its time
def test_what_is_written_keeps_types_and_arrows(folder: Path) -> None:
    """Mypy --strict and the import contracts hold for a new backend."""
    assert main(["new", "larkmemos"]) == 0
    run(folder / "larkmemos", "-m", "mypy", "src", "tests")
    run(folder / "larkmemos", "-c", LINT_IMPORTS)


def test_a_standalone_project_has_its_own_scripts(folder: Path) -> None:
    """Outside of a workspace the project brings scripts, settings of tools, and .gitignore."""
    assert main(["new", "larkmemos", "--directory", "elsewhere/mine"]) == 0
    project = folder / "elsewhere" / "mine"
    assert os.access(project / "scripts" / "check", os.X_OK)
    assert os.access(project / "scripts" / "test", os.X_OK)
    assert "[tool.ruff]" in (project / "pyproject.toml").read_text()
    assert ".env" in (project / ".gitignore").read_text()


@pytest.mark.parametrize("script", ["check", "test"])
def test_a_machine_without_uv_is_told_so(folder: Path, script: str) -> None:
    """The scripts of a standalone project say what they need, in one line."""
    assert main(["new", "larkmemos"]) == 0
    (folder / "bin").mkdir()
    for tool in ("bash", "dirname"):
        (folder / "bin" / tool).symlink_to(str(shutil.which(tool)))
    found = subprocess.run(
        [str(folder / "bin" / "bash"), f"larkmemos/scripts/{script}"],
        env={"PATH": str(folder / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (1, "This needs uv: python3 -m pip install uv\n")


def test_in_the_workspace_nothing_else_changes(folder: Path) -> None:
    """In the workspace it goes beside the other backends, with no tools of its own."""
    (folder / "pyproject.toml").write_text(WORKSPACE)
    assert main(["new", "larkmemos"]) == 0
    project = folder / "backends" / "larkmemos"
    assert (folder / "pyproject.toml").read_text() == WORKSPACE
    assert "[tool.ruff]" not in (project / "pyproject.toml").read_text()
    assert not (project / "scripts").exists()


def test_the_migration_bears_the_date(folder: Path, clock: SettableClock) -> None:
    """The first migration is named after the day on which it was written."""
    clock.set(datetime(2027, 1, 2, tzinfo=UTC))
    assert main(["new", "larkmemos"]) == 0
    versions = folder / "larkmemos" / "src" / "larkmemos" / "migrations" / "versions"
    assert [path.name for path in versions.iterdir()] == ["2027-01-02_create_larkmemos.py"]


def test_nothing_is_overwritten(folder: Path, capsys: Captured) -> None:
    """A folder that is there already is left as it is."""
    (folder / "larkmemos").mkdir()
    assert main(["new", "larkmemos"]) == 1
    assert "larkmemos already exists" in capsys.readouterr().err
    assert list((folder / "larkmemos").iterdir()) == []


def test_a_link_that_leads_nowhere_is_in_the_way(folder: Path, capsys: Captured) -> None:
    """Nothing is written through it."""
    (folder / "larkmemos").symlink_to(folder / "nowhere")
    assert main(["new", "larkmemos"]) == 1
    assert "larkmemos already exists" in capsys.readouterr().err
    assert not (folder / "nowhere").exists()
