"""Starts: the lines of the reference's samples, and the ways in which a start fails."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Launch = Callable[..., Any]

STAMP = r"\d{1,2}\.\d{1,2}\.\d{4} \d{2}:\d{2}:\d{2}"
START = """\
[Server Notification] Server logger started.
[Server Notification] Game Version: v1.21.0 (Stable)
[Server Notification] C# Framework: .net 8.0.
[Server Notification] Zstd Version: 1.5.4
[Server Notification] Operating System: Linux
[Server Notification] CPU Cores:
[Server Notification] CPU: Unknown
[Server Notification] Available RAM:
[Server Event] Launching server...
[Server Event] Server v1.21.0, network v1.21.0, api v1.21.0
[Server Notification] Entering runphase Initialization
[Server Event] Loading configuration...
[Server Notification] serverconfig.json not found, creating new one
[Server Notification] Entering runphase Configuration
[Server Notification] Will search the following paths for mods:
[Server Notification]     /
[Server Notification] Found 3 mods (0 disabled)
[Server Notification] Mods, sorted by dependency: game, creative, survival
[Server Notification] Instantiated 108 mod systems from 3 enabled mods
[Server Notification] Loading savegame
[Server Notification] Savegame /
[Server Notification] World size = 1024000 256 1024000
[Server Notification] Entering runphase AssetsReady
[Server Event] 36 knapping recipes loaded
[Server Notification] Entering runphase AssetsFinalize
[Server Event] Server assets loaded, parsed, registered and finalized
[Server Event] Initialising systems...
[Server Notification] Entering runphase LoadGamePre
[Server Notification] Started 108 systems on Server:
[Server Notification]     Mod 'VSEssentials.dll' (game):
[Server Notification]         Vintagestory.ServerMods.Core
[Server Notification] Entering runphase GameReady
save game data. Playstyle: surviveandbuild, Playstyle Lang code: surviveandbuild-bands, WorldType:
[Server Notification] Entering runphase WorldReady
[Server Event] Loading 9x9x8 spawn chunks...
[Server Notification] Ok, added 49 columns, 0 left to add, waiting until these are done.
[Server Notification] Ok, 49 columns, generated!
[Server Notification] Entering runphase RunGame
[Server Event] Dedicated Server now running on Port
"""


def test_the_lines_of_a_start_come_as_in_the_real_log(launch: Launch) -> None:
    """Each line of the reference's sample appears, in its order and its grammar."""
    game = launch(game_version="1.21.0")
    for part in START.splitlines():
        line = game.expect(part)
        assert re.match(rf"{STAMP} \[Server \w+\] ", line)
    assert line.endswith("and all ips!")


def test_the_ready_line_names_the_address_that_was_asked_for(launch: Launch) -> None:
    """With --ip the ready line ends with that address."""
    line = launch("--ip", "127.0.0.1").expect("now running on Port")
    assert re.search(r"Port \d+ and ip 127\.0\.0\.1!$", line)


def test_the_port_is_really_taken(launch: Launch) -> None:
    """A client can connect to the port of the ready line, and the log says so."""
    game = launch()
    port = int(game.expect("now running on Port").split("Port ")[1].split()[0])
    with socket.create_connection(("127.0.0.1", port)):
        game.expect("A Client attempts connecting via TCP on 127.0.0.1:")
    game.expect("Client 1 disconnected: ")


def test_a_port_in_use_is_an_exception_and_the_end(launch: Launch) -> None:
    """A taken port ends the game with a stack trace and a crash report."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        game = launch("--ip", "0.0.0.0", "--port", str(taken.getsockname()[1]))
        assert game.wait() == 134
    assert any("SocketException" in line for line in game.lines)
    assert "SocketException" in (game.data / "Logs" / "server-crash.log").read_text()


def test_two_version_files_are_refused(launch: Launch, tmp_path: Path) -> None:
    """Left-overs of another version keep the game from starting (LinuxGSM #4920)."""
    assets = tmp_path / "server" / "assets"
    assets.mkdir(parents=True)
    (assets / "version-1.21.5.txt").touch()
    (assets / "version-1.21.6.txt").touch()
    game = launch(server_folder=tmp_path / "server")
    assert game.wait() == 1
    assert "[Server Fatal]" in game.lines[-1]


def test_the_version_is_that_of_the_installation(launch: Launch, tmp_path: Path) -> None:
    """Without --game-version the file in assets tells the version."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "version-1.20.12.txt").touch()
    game = launch(server_folder=tmp_path)
    assert "v1.20.12 (Stable)" in game.expect("Game Version")
    game.expect("C# Framework: .net 7.")


def test_a_nearly_full_disk_ends_the_game_in_order(launch: Launch) -> None:
    """Below DieBelowDiskSpaceMb only the reason of the stop tells it from a wish."""
    game = launch(disk_free_mb=356)
    game.expect("begin shutdown sequence. Stop reason: Out of disk space")
    game.expect("Stopped the server!")
    assert game.wait() == 0
    assert not any("[Server Fatal]" in line for line in game.lines)


def test_a_nearly_full_disk_is_fatal(launch: Launch) -> None:
    """--fatal-self-kills: the game says why, and ends at once."""
    game = launch(disk_free_mb=356, fatal_self_kills=True)
    assert game.wait() == 1
    assert "Disk space is below 400 megabytes (356 mb left)" in game.lines[-1]


def test_a_disk_that_fills_up_is_noticed_at_the_next_save(launch: Launch) -> None:
    """The check is repeated at each save."""
    game = launch().ready()
    game.send("/simulate disk 100", "/autosavenow")
    game.expect("Stop reason: Out of disk space")
    game.expect("World saved!")
    assert game.wait() == 0


def test_a_missing_runtime_is_exit_code_150(launch: Launch) -> None:
    """Without its framework the host ends with 150 and no line of the game's log."""
    game = launch(missing_runtime=True)
    assert game.wait() == 150
    assert game.lines == []


def test_version_prints_the_version_alone(launch: Launch) -> None:
    """--version prints one line and ends well."""
    game = launch("--version", game_version="1.22.0-rc.1")
    assert game.wait() == 0
    assert game.lines == ["1.22.0-rc.1"]


def test_a_flag_of_several_values_may_not_be_repeated(launch: Launch) -> None:
    """--addModPath takes several values once, as the game's does."""
    assert launch("--addModPath", "/a", "/b", "--addModPath", "/c").wait() == 2
    game = launch("--addModPath", "/a", "/b").ready()
    assert any(line.endswith("    /b") for line in game.lines)


def test_a_hanging_start_never_gets_ready_but_obeys_a_signal(launch: Launch) -> None:
    """It hangs in the middle of the phases; SIGTERM still ends it in order."""
    game = launch(hang_at_start=True)
    game.expect("36 knapping recipes loaded")
    game.process.terminate()
    assert game.wait() == 0
    assert not any("now running" in line for line in game.lines)
    assert game.lines[-2].endswith("[Server Event] Stopped the server!")


def test_only_the_named_version_hangs(launch: Launch) -> None:
    """--hang-with-version lets every other version become ready."""
    launch(hang_with_version="1.22.0", game_version="1.21.6").ready()


def test_old_logs_are_archived_at_the_start(launch: Launch) -> None:
    """Each start moves the last run's logs away; about five archives stay."""
    launch().ready().stop()
    launch().ready().stop()
    logs = launch().ready().data / "Logs"
    assert (logs / "server-main.log").read_text().count("Server logger started.") == 1
    archived = list((logs / "Archive").glob("*/server-main.log"))
    assert archived


def test_the_main_log_leaves_out_the_word_server(launch: Launch) -> None:
    """server-main.log bears `[Level]`; server-debug.log adds milliseconds."""
    game = launch().ready()
    logs = game.data / "Logs"
    main = (logs / "server-main.log").read_text().splitlines()
    assert re.fullmatch(rf"{STAMP} \[Notification\] Server logger started\.", main[0])
    debug = (logs / "server-debug.log").read_text().splitlines()
    assert re.match(r".* \d{2}:\d{2}:\d{2}\.\d{3} \[Notification\] ", debug[0])


@pytest.mark.parametrize("content", ["{", "[]", '{"Port": }'])
def test_unreadable_settings_end_the_start(launch: Launch, data: Path, content: str) -> None:
    """A torn serverconfig.json ends the start, and stays as it is; the error is the last line."""
    data.mkdir()
    (data / "serverconfig.json").write_text(content)
    game = launch()
    game.expect("Stop reason: serverconfig.json read error")
    game.expect("Entering runphase Exit")
    assert game.wait() == 0
    assert "[Server Error] Failed to read a settings file." in game.lines[-1]
    assert (data / "serverconfig.json").read_text() == content


def test_a_damaged_list_of_players_ends_the_start(launch: Launch, data: Path) -> None:
    """It stays as it is, too."""
    (data / "Playerdata").mkdir(parents=True)
    (data / "Playerdata" / "playerdata.json").write_text("{")
    launch().expect("Stop reason: Failed reading playerdata")
    assert (data / "Playerdata" / "playerdata.json").read_text() == "{"


@pytest.mark.parametrize("fatal", [False, True])
def test_a_damaged_world_ends_the_start(launch: Launch, data: Path, fatal: bool) -> None:
    """A world that is no database ends the start: in order, or with --fatal-self-kills at once."""
    (data / "Saves").mkdir(parents=True)
    (data / "Saves" / "default.vcdbs").write_bytes(b"no database" * 1000)
    game = launch(fatal_self_kills=fatal)
    assert game.wait() == int(fatal)
    said = "[Server Fatal] Savegame" if fatal else "Stop reason: Failed opening savegame"
    assert any(said in line for line in game.lines)


def test_it_needs_the_standard_library_alone() -> None:
    """Nothing that the manager depends on is imported, so a start is quick."""
    code = (
        "import sys; import gameserver_simulator.game.program; "
        "print([name for name in ('pydantic', 'fastapi', 'bedplate', 'asyncio', 'typer') "
        "if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=True, capture_output=True).stdout.strip() == b"[]"
