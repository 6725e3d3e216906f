"""The command line as a person at a terminal meets it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import bedplate
from bedplate.cli.main import COMMANDS, main

pytestmark = pytest.mark.usefixtures("backends")
Captured = pytest.CaptureFixture[str]


def test_help_lists_commands_and_backends(capsys: Captured) -> None:
    """`--help` and no argument at all list every command, and every backend's own summary."""
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)
    assert re.search(r"^  larknotes +Larknotes, a backend on Bedplate\.$", text, re.MULTILINE)
    assert main([]) == 0
    assert capsys.readouterr().out == text


def test_help_imports_nothing_heavy() -> None:
    """`--help` is quick because it imports no framework, not even typer."""
    program = (
        "import sys; from bedplate.cli.main import main; main(['--help']);"
        "sys.exit(str({'fastapi', 'pydantic', 'sqlalchemy', 'typer', 'tasks'} & {*sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert found.stderr.strip() == "set()"


def test_version(capsys: Captured) -> None:
    """`--version` shows the version of the foundation."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == bedplate.__version__


@pytest.mark.parametrize(
    ("words", "exit_code", "text"),
    [
        (["nots"], 2, "No command or backend is named 'nots'"),
        (["--nonsense"], 2, "No such option: --nonsense"),
        (["run", "nots"], 2, "larknotes, larksongs"),
        (["run", "--port", "many"], 2, "--port"),
        (["run", "larknotes", "--port", "70000"], 1, "BEDPLATE_PORT"),
        (["db"], 2, "Missing command."),
        (["larksongs", "greet"], 2, "larksongs has no commands of its own."),
        (["larknotes", "fail"], 1, "RuntimeError: It broke."),
        (["larknotes", "hang"], 1, "Error: TimeoutError (`bedplate --traceback"),
    ],
)
def test_an_error_is_one_line(
    capsys: Captured, words: list[str], exit_code: int, text: str
) -> None:
    """Whatever goes wrong is one line on standard error, without a traceback, and an exit code."""
    assert main(words) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1
    assert text in captured.err


def test_a_traceback_can_be_had(capsys: Captured) -> None:
    """`--traceback` lets the error through as it was raised."""
    with pytest.raises(RuntimeError, match="broke"):
        main(["--traceback", "larknotes", "fail"])


def test_a_backend_brings_its_own_commands(capsys: Captured) -> None:
    """`bedplate NAME …` runs the commands that the backend declares."""
    assert main(["larknotes", "greet", "you"]) == 0
    assert capsys.readouterr().out == "Hello you.\n"


def test_a_backend_that_cannot_be_imported_is_named(
    capsys: Captured, sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken backend costs one line with its name and the reason, and only when it is used."""
    information = tmp_path / "broken-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[bedplate.backends]\nbroken = no_such:backend\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["--help"]) == 0
    assert main(["routes", "broken"]) == 1
    assert "The backend broken can't be imported (ModuleNotFoundError" in capsys.readouterr().err
    (tmp_path / "no_such.py").write_text("raise TimeoutError\n")
    assert main(["routes", "broken"]) == 1
    assert "The backend broken can't be imported (TimeoutError)." in capsys.readouterr().err
