"""Worlds: found, copied with what their log holds, checked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gameserver.backups.exceptions import DamagedWorld
from gameserver.backups.worlds import (
    check_world,
    copy_stopped_world,
    is_world_name,
    looks_complete,
    world_file,
)
from gameserver.layout import Layout

MakeWorld = Callable[[Path, int], None]
ChunksIn = Callable[[Path], int]


def test_the_log_of_a_crashed_game_is_in_the_copy(
    tmp_path: Path, make_world: MakeWorld, chunks_in: ChunksIn
) -> None:
    """What was committed into `-wal` only is in the copy, and the world itself is left alone."""
    world, copy = tmp_path / "a.vcdbs", tmp_path / "copy.vcdbs"
    make_world(world, 300)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("a.vcdbs*")}
    copy_stopped_world(world, copy, lambda _: None)
    check_world(copy)
    assert chunks_in(copy) == 300
    assert {path.name: path.read_bytes() for path in tmp_path.glob("a.vcdbs*")} == before
    assert looks_complete(copy)


def test_a_linked_world_is_not_followed(tmp_path: Path, make_world: MakeWorld) -> None:
    """A link in the place of the world may lead anywhere; it is an error."""
    make_world(tmp_path / "real", 1)
    (tmp_path / "a.vcdbs").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="symbolic"):
        copy_stopped_world(tmp_path / "a.vcdbs", tmp_path / "copy", lambda _: None)


@pytest.mark.parametrize("spoil", ["cut", "flipped", "text", "empty", "other tables"])
def test_a_damaged_copy_is_found_out(spoil: str, tmp_path: Path, make_world: MakeWorld) -> None:
    """Cut, overwritten, empty or of another program: none passes as a world."""
    make_world(tmp_path / "a.vcdbs", 300)
    copy_stopped_world(tmp_path / "a.vcdbs", tmp_path / "copy", lambda _: None)
    content = (tmp_path / "copy").read_bytes()
    spoiled = {
        "cut": content[: len(content) // 2],
        "flipped": content[:8192] + b"\xff" * 8192 + content[16384:],
        "text": b"not a database " * 1000,
        "empty": b"",
        "other tables": content.replace(b"mapregion", b"mapregiox"),
    }[spoil]
    (tmp_path / "copy").write_bytes(spoiled)
    with pytest.raises(DamagedWorld):
        check_world(tmp_path / "copy")


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/old/place/Saves/mine.vcdbs", "mine.vcdbs"),
        ("C:\\Games\\Saves\\mine.vcdbs", "mine.vcdbs"),
        ("../../etc/passwd", "default.vcdbs"),
        ("/x/.vcdbs", "default.vcdbs"),
        ("/x/..vcdbs", "default.vcdbs"),
        (None, "default.vcdbs"),
        (7, "default.vcdbs"),
    ],
)
def test_the_settings_name_the_world_and_nothing_outside(
    location: object, name: str, tmp_path: Path
) -> None:
    """Of the path in the settings only a world's plain name is taken."""
    layout = Layout(tmp_path)
    layout.create()
    config = {"WorldConfig": {"SaveFileLocation": location}}
    layout.server_config.write_text(json.dumps(config))
    assert world_file(layout) == layout.saves / name


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"WorldConfig": 1}', "[" * 100_000])
def test_settings_that_make_no_sense_mean_the_default_world(text: str, tmp_path: Path) -> None:
    """Whatever is in the settings' place, there is an answer."""
    layout = Layout(tmp_path)
    layout.create()
    layout.server_config.write_text(text)
    assert world_file(layout).name == "default.vcdbs"


@pytest.mark.parametrize("name", ["a/b.vcdbs", ".vcdbs", "a.db", "a\n.vcdbs", "x" * 300 + ".vcdbs"])
def test_what_is_no_worlds_name(name: str) -> None:
    """A world's name is one plain file name."""
    assert not is_world_name(name)
