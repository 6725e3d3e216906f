"""/genbackup and /db."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Launch = Callable[..., Any]


def intact(path: Path) -> bool:
    """Say whether a file is a sound database."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            answer: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError:
        return False
    return answer == "ok"


def test_a_backup_is_a_sound_copy(game: Any) -> None:
    """/genbackup NAME copies the world under just that name, and says when it is done."""
    game.send("/simulate join Uraka", "/autosavenow")
    game.expect("Offthread save of savegame done.")
    game.send("/genbackup some/where/mine")
    game.expect("[Server Notification] Ok, generating backup, this might take a while")
    game.expect("[Server Notification] Backup complete!")
    assert intact(game.data / "Backups" / "mine")


def test_a_backup_without_a_name_is_named_by_world_and_time(game: Any) -> None:
    """The default name is `<save>-yyyy-MM-dd_HH-mm-ss.vcdbs`."""
    game.send("/db backup")
    game.expect("Backup complete!")
    names = [path.name for path in (game.data / "Backups").iterdir()]
    assert len(names) == 1
    assert names[0].startswith("default-20")
    assert names[0].endswith(".vcdbs")


def test_a_backup_grows_under_its_final_name(launch: Launch) -> None:
    """The file is there, incomplete, long before the copy is done; a stop leaves it so."""
    game = launch(backup_seconds=60, world_kib=4096).ready()
    game.send("/genbackup slow.vcdbs")
    game.expect("Ok, generating backup")
    game.send("/genbackup other.vcdbs")
    game.expect("Ok, generating backup")
    game.expect("Can't run backup. A backup is already in progress")
    game.send("/autosavenow")
    game.expect("Autosave completed")
    assert not any("Autosaving game world" in line for line in game.lines)
    game.stop()
    cut = game.data / "Backups" / "slow.vcdbs"
    assert cut.exists()
    assert not (game.data / "Backups" / "other.vcdbs").exists()
    assert cut.stat().st_size < (game.data / "Saves" / "default.vcdbs").stat().st_size
    assert not any("Backup complete!" in line for line in game.lines)


def test_a_failing_backup_refuses_all_others(launch: Launch) -> None:
    """The flag is cleared by the completion alone, so nothing but a restart helps."""
    game = launch(backup_fails=True, backup_seconds=0).ready()
    game.send("/genbackup a", "/genbackup b")
    game.expect("already in progress")
    game.send("/stop")
    assert game.wait() == 0


def test_a_backup_that_cannot_be_written_refuses_all_others(game: Any) -> None:
    """A name that no file can have fails the copy; the game goes on."""
    game.send(f"/genbackup {'x' * 300}")
    game.expect("[Server Error] Exception: ")
    game.send("/genbackup fine")
    game.expect("already in progress")


def test_a_backup_may_be_damaged_and_yet_complete(launch: Launch) -> None:
    """--backup-damaged says that all is well over a file that isn't."""
    game = launch(backup_damaged=True, backup_seconds=0).ready()
    game.send("/genbackup bad")
    game.expect("Backup complete!")
    assert not intact(game.data / "Backups" / "bad")


def test_a_hosted_server_has_no_backups(launch: Launch, data: Path) -> None:
    """HostedMode takes the command away."""
    data.mkdir()
    (data / "serverconfig.json").write_text('{"HostedMode": true}')
    game = launch().ready()
    game.send("/genbackup x")
    game.expect("No such command exists")


def test_the_world_can_be_pruned_and_vacuumed(game: Any) -> None:
    """/db prune is a dry run until confirmed; /db vacuum shrinks the file."""
    game.send("/db prune 100 drop")
    game.expect("would be removed")
    game.send("/db prune 100 drop confirm")
    game.expect("removed.")
    game.send("/db vacuum")
    game.expect("Vacuum started, this may take some time")
    game.expect("Vacuum complete!")


@pytest.mark.parametrize(("language", "done"), [("ru", "Резервное"), ("de", "Sicherung abge")])
def test_the_completion_is_localised(launch: Launch, language: str, done: str) -> None:
    """In another language the text is another one."""
    game = launch(language=language, backup_seconds=0).ready()
    game.send("/genbackup x")
    game.expect(done)
