"""Saves: what is printed, and what is in the world by then."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from gameserver_simulator.game.world import marks

Launch = Callable[..., Any]

AUTOSAVE = """\
[Server Notification] Autosaving game world. Notifying mods, then systems of save...
[Server Notification] Server ticking has been suspended
[Server Event] Mods and systems notified, now saving everything...
[Server Notification] Will do offthread savegamedata saving...
[Server Event] Saved player world data...
[Server Event] Saved map regions...
[Server Event] Saved map chunks...
[Server Event] World saved! Saved 0 chunks, 0 mapchunks,
[Server Notification] Server ticking has been resumed
[Server Notification] Offthread save of
[Server Notification] Offthread save of
[Server Notification] Offthread save of savegame done.
"""


def integrity(path: Path) -> str:
    """Return what SQLite says of a world."""
    with closing(sqlite3.connect(path)) as connection:
        answer: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return answer


def test_the_lines_of_a_save_come_as_in_the_real_log(game: Any) -> None:
    """Each line of the reference's sample appears in its order."""
    game.send("/autosavenow")
    for part in AUTOSAVE.splitlines():
        game.expect(part)


def test_the_world_grows_with_each_save(launch: Launch) -> None:
    """A save adds chunks, and leaves all tables at the same save when it is through."""
    game = launch(growth_kib=512).ready()
    game.send("/autosavenow")
    game.expect("Offthread save of savegame done.")
    game.stop()
    world = game.data / "Saves" / "default.vcdbs"
    assert world.stat().st_size > (256 + 2 * 512) * 1024
    assert set(marks(world).values()) == {2}
    assert integrity(world) == "ok"


def test_world_saved_comes_before_the_last_of_it_is(launch: Launch) -> None:
    """Between "World saved!" and the off-thread lines, a copy would mix two saves."""
    game = launch(save_seconds=60).ready()
    game.send("/autosavenow")
    game.expect("World saved!")
    found = marks(game.data / "Saves" / "default.vcdbs")
    assert found["mapregion"] == 1
    assert found["gamedata"] == 0


def test_a_save_during_a_save_is_ignored(launch: Launch) -> None:
    """A second save only warns, yet /autosavenow answers the same."""
    game = launch(save_seconds=60).ready()
    game.send("/autosavenow", "/autosavenow")
    game.expect("Autosave completed")
    game.expect("[Server Warning] Call to autosave, but server is already saving.")
    game.expect("Autosave completed")


def test_a_server_that_cannot_pause_saves_nothing(launch: Launch) -> None:
    """The save says so, yet /autosavenow answers the same."""
    game = launch(suspend_fails=True, suspend_seconds=0).ready()
    game.send("/autosavenow")
    game.expect("Unable to autosave, was not able to pause the server")
    game.expect("Autosave completed")
    assert marks(game.data / "Saves" / "default.vcdbs")["mapregion"] == 0


def test_it_saves_by_itself(launch: Launch) -> None:
    """Autosaves come again and again without being asked for."""
    game = launch(autosave_seconds=0.1).ready()
    game.expect("Offthread save of savegame done.")
    game.expect("Offthread save of savegame done.")


def test_a_kill_at_any_moment_leaves_a_sound_world(launch: Launch) -> None:
    """After kill -9 in the middle of saves, the world is intact, and is played on."""
    game = launch(autosave_seconds=0.01, growth_kib=2048).ready()
    for _ in range(3):
        game.expect("World saved!")
    game.process.kill()
    game.wait()
    world = game.data / "Saves" / "default.vcdbs"
    assert (game.data / "Saves" / "default.vcdbs-wal").exists()
    assert integrity(world) == "ok"
    launch().ready().stop()
    assert len(set(marks(world).values())) == 1


def test_a_save_that_fails_stops_the_game(launch: Launch) -> None:
    """A world that can't be written is an exception in its thread, and the stop."""
    game = launch(save_seconds=0.3).ready()
    world = game.data / "Saves" / "default.vcdbs"
    game.send("/autosavenow")
    game.expect("World saved!")
    with closing(sqlite3.connect(world)) as connection:
        connection.execute("DROP TABLE mapchunk")
    game.expect("[Server Error] Caught unhandled exception in thread 'chunkdbthread'.")
    game.expect("Stop reason: Exception during Process")


def test_the_players_are_in_the_save(game: Any) -> None:
    """Whoever was here has a row in playerdata."""
    game.send("/simulate join Uraka")
    game.stop()
    with closing(sqlite3.connect(game.data / "Saves" / "default.vcdbs")) as connection:
        rows = connection.execute("SELECT playeruid FROM playerdata").fetchall()
    assert [len(row[0]) for row in rows] == [24]
