"""Files that are refused before anything is made of them."""

from pathlib import Path

import pytest

from bedplate.cli.exceptions import CommandError
from fountain.screenplay.plan import Plan
from fountain.transfer import play_files
from fountain.transfer.play_files import MAX_TEXT_LENGTH, check_lengths, read_play


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"One.\nT\xffwo.", "line 2: this is not UTF-8 text. If it is Latin-1, `iconv -f latin1"),
        ("One.".encode("utf-16"), "line 1: this is not UTF-8 text"),
        (b"One.\n\nT\0wo.", "line 3: the services don.t accept the character NUL"),
        (b"x" * (play_files.MAX_FILE_BYTES + 1), "larger than 20 MiB"),
    ],
)
def test_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    """What services can't store is refused, with its line."""
    play = tmp_path / "play.fountain"
    play.write_bytes(content)
    with pytest.raises(CommandError, match=complaint):
        read_play(play)


def test_unreadable(tmp_path: Path) -> None:
    """A file that isn't there is named."""
    with pytest.raises(CommandError, match=r"gone\.fountain can't be read: No such file"):
        read_play(tmp_path / "gone.fountain")


def test_lengths() -> None:
    """A text is as long as the services take, and not longer."""
    check_lengths(Plan({"title": "A"}, actions=["x" * MAX_TEXT_LENGTH]))
    with pytest.raises(CommandError, match="It begins with 'yyyy"):
        check_lengths(Plan({"title": "A"}, characters=[("A", "y" * (MAX_TEXT_LENGTH + 1))]))
