"""The checks of `scripts/` that look at sources."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def check_words(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run `check_words.py` on files."""
    command = [sys.executable, str(SCRIPTS / "check_words.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("line", "word", "better"),
    [
        ("The client is told when it ends.", "told", "notified"),
        ("It tells of updates.", "tells of", "reports"),
        ("MOST_IDS = 5", "MOST_", "MAX_"),
        ("def read(smallest: int = 1) -> None: ...", "smallest", "min_"),
        ("read(most=5)", "most=5", "max_"),
        ("for one in mods:", "for one in", "own name"),
        ("    its = heading.ids", "its =", "noun"),
        ("return _shown(task)", "_shown(", "to_response("),
        ("The body is no JSON.", "is no JSON", "is not JSON"),
        ("Nobody is on line.", "on line", "online"),
        ('"""What goes over the wire."""', "What goes over the wire", "no docstring"),
    ],
)
def test_a_refused_word_is_named_with_a_better_one(
    tmp_path: Path, line: str, word: str, better: str
) -> None:
    """The exit code is 1, and the line says where the word is."""
    page = tmp_path / "page.md"
    page.write_text(f"\n{line}\n")
    result = check_words(page)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{page}:2: ")
    assert word in result.stderr
    assert better in result.stderr


def test_plain_words_pass(tmp_path: Path) -> None:
    """Words that only resemble refused ones are fine."""
    page = tmp_path / "page.md"
    page.write_text(
        "The most recent and largest sign is on line 3.\n"
        "for one thing in the shown table, its id is what it is\n"
        "max_length=5, untold, to_response(task), f'on line {number}'\n"
    )
    result = check_words(page)
    assert (result.returncode, result.stderr) == (0, "")
