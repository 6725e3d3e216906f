"""`bedplate openapi`."""

import json
from pathlib import Path

import pytest

from bedplate.cli.main import main

pytestmark = pytest.mark.usefixtures("backends")
Captured = pytest.CaptureFixture[str]


def test_the_document_is_printed(capsys: Captured) -> None:
    """Standard output is the document, and nothing else."""
    assert main(["openapi", "larknotes"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["info"]["title"] == "Larknotes"
    assert "/larknotes/{row_id}" in document["paths"]


def test_the_document_is_written_to_a_file(capsys: Captured, tmp_path: Path) -> None:
    """With `--output` the file holds it, and nothing is printed."""
    assert main(["openapi", "larknotes", "--output", "larknotes.json"]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "larknotes.json").read_text())["info"]["title"] == "Larknotes"


def test_of_several_backends_one_must_be_named(capsys: Captured) -> None:
    """Without a name, several installed backends are a usage error that lists them."""
    assert main(["openapi"]) == 2
    assert "larknotes, larksongs" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_one_line(capsys: Captured) -> None:
    """An output that can't be written is reported in one line."""
    assert main(["openapi", "larknotes", "--output", "no/such/file.json"]) == 1
    assert (
        capsys.readouterr().err
        == "Error: no/such/file.json can't be written: No such file or directory.\n"
    )
