"""The game's own log as a witness."""

import os
from pathlib import Path

import pytest

from gameserver.console.main_log import MainLog

STAMP = "5.9.2026 22:08:03"
ENDS = "Entering runphase Shutdown"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of the game's logs."""
    (tmp_path / "Logs").mkdir()
    return tmp_path / "Logs"


def log_of(folder: Path) -> MainLog:
    """Return a log that remembers everything but warnings."""
    return MainLog(folder, lambda level, _: level != "Warning")


def write(folder: Path, *lines: str, name: str = "server-main.log") -> None:
    """Add lines to a log."""
    with (folder / name).open("a") as file:
        file.writelines(f"{STAMP} {line}\n" for line in lines)


def test_each_line_confirms_once(folder: Path) -> None:
    """A line confirms one of the same level and text, as often as it is there."""
    log = log_of(folder)
    assert not log.poll()
    write(folder, f"[Notification] {ENDS}", f"[Notification] {ENDS}", "[Warning] x")
    assert log.poll()
    assert not log.confirm("Event", ENDS)
    assert [log.confirm("Notification", ENDS) for _ in range(3)] == [True, True, False]
    assert not log.confirm("Warning", "x")
    write(folder, "[Event] Ada left.")
    log.poll()
    assert log.confirm("Event", "Ada left.\nand a line without a time")


def test_half_a_line_is_waited_for(folder: Path) -> None:
    """What the game has not finished to write confirms nothing yet."""
    log = log_of(folder)
    (folder / "server-main.log").write_text(f"{STAMP} [Notification] Entering run")
    log.poll()
    assert not log.confirm("Notification", ENDS)
    (folder / "server-main.log").write_text(f"{STAMP} [Notification] {ENDS}\n")
    log.poll()
    assert log.confirm("Notification", ENDS)


def test_the_log_of_the_last_run_confirms_nothing(folder: Path) -> None:
    """A game that writes no log of its own has none, whatever lies there."""
    write(folder, f"[Notification] {ENDS}")
    log = log_of(folder)
    assert not log.poll()
    assert not log.confirm("Notification", ENDS)


@pytest.mark.parametrize("name", ["server-main.log", "server-main-2.log", "server-main.txt"])
def test_a_log_that_is_split_or_archived_goes_on(folder: Path, name: str) -> None:
    """The newest part is read from its beginning."""
    log = log_of(folder)
    write(folder, "[Event] one", "[Event] two")
    log.poll()
    # Two files that are written within a tick of the kernel's clock are equally new.
    os.utime(folder / "server-main.log", (0, 0))
    if name == "server-main.log":
        (folder / name).rename(folder / "archived.log")
    write(folder, f"[Notification] {ENDS}", name=name)
    log.poll()
    assert log.confirm("Notification", ENDS)


def test_times_of_every_culture(folder: Path) -> None:
    """The time may have dots in place of colons."""
    log = log_of(folder)
    (folder / "server-main.log").write_text(f"5.9.2026 22.08.03 [Notification] {ENDS}\r\n")
    log.poll()
    assert log.confirm("Notification", ENDS)
