"""The document that says how far an import has come."""

from pathlib import Path

import pytest

from bedplate.cli.exceptions import CommandError
from fountain.transfer.state import (
    Created,
    ImportState,
    exclusive_import,
    load_state,
    replace_file,
    save_state,
    state_path,
)


def test_saved_and_loaded(tmp_path: Path) -> None:
    """A state is what it was after it was saved, and nothing else is left in the folder."""
    path = tmp_path / "state.json"
    assert load_state(path) is None
    for state in (
        ImportState(play="a"),
        ImportState(play="a", created={"x": Created(after=3, identifiers={0: 4})}),
    ):
        save_state(path, state)
        assert load_state(path) == state
    assert list(tmp_path.iterdir()) == [path]


def test_no_state(tmp_path: Path) -> None:
    """A document that is something else is named, and what to do about it."""
    path = tmp_path / "state.json"
    path.write_text('{"play": 3}')
    with pytest.raises(CommandError, match=r"state\.json .* give --again"):
        load_state(path)


def test_unwritable(tmp_path: Path) -> None:
    """A folder that can't be written to is said to be the matter."""
    with pytest.raises(CommandError, match="Copy the play to a folder of your own"):
        save_state(tmp_path / "gone" / "state.json", ImportState(play="a"))


def test_failed_replacement(tmp_path: Path) -> None:
    """A replacement that fails leaves the old file, and no other."""
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(OSError, match="folder"):
        replace_file(target, b"x")
    assert list(tmp_path.iterdir()) == [target]


def test_content_is_on_the_disk_before_its_name(
    tmp_path: Path, recorded_disk: list[tuple[str, ...]]
) -> None:
    """A power cut leaves the old state or the new one: the content is synced, then renamed."""
    path = tmp_path / "state.json"
    save_state(path, ImportState(play="a"))
    [(call, temporary), renamed] = recorded_disk
    assert call == "sync"
    assert renamed == ("rename", temporary, str(path))


def test_paths() -> None:
    """Each server has a document of its own beside the play."""
    play = Path("plays/a.fountain")
    near = state_path(play, "http://127.0.0.1:8000/scripts")
    assert near == Path("plays/a.fountain.127.0.0.1-8000-scripts.import.json")
    assert near != state_path(play, "http://127.0.0.1:8001/scripts")


def test_alone(tmp_path: Path) -> None:
    """A play is imported by one process at a time."""
    play = tmp_path / "a.fountain"
    play.touch()
    with (
        exclusive_import(play),
        pytest.raises(CommandError, match="another process"),
        exclusive_import(play),
    ):
        pass
    with exclusive_import(play):
        pass
