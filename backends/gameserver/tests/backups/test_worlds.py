"""Worlds: found, copied with what their log holds, checked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gameserver.backups.exceptions import DamagedWorld
from gameserver.backups.worlds import (
    check_world,
    copy_stopped_world,
    looks_complete,
)

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
