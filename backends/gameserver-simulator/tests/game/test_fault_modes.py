"""What a manager must survive: floods, long lines, nonsense, imitations."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Launch = Callable[..., Any]


def test_a_flood_reaches_its_rate(launch: Launch) -> None:
    """20,000 lines a second is what comes, when somebody reads."""
    game = launch().ready()
    begin = time.monotonic()
    game.send("/simulate flood 1")
    game.expect("Flood line 20000 of 20000")
    assert time.monotonic() - begin < 10
    assert sum("Flood line" in line for line in game.lines) == 20_000


def test_a_flood_at_the_start(launch: Launch) -> None:
    """--flood-seconds floods once the game is ready."""
    launch(flood_seconds=0.1, flood_rate=1000).expect("Flood line 100 of 100")


def test_a_reader_that_is_gone_does_not_end_the_game(data: Path) -> None:
    """Like .NET's console, it swallows broken pipes: an orphan plays on, and saves on SIGTERM."""
    reading, writing = os.pipe()
    words = [sys.executable, "-m", "gameserver_simulator", "--dataPath", str(data), "--port", "0"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=writing) as process:
        os.close(writing)
        os.close(reading)
        assert process.stdin is not None
        process.stdin.write(b"/stop\n")
        process.stdin.flush()
        assert process.wait(20) == 0
    assert "Stopped the server!" in (data / "Logs" / "server-main.log").read_text()


def test_a_line_of_a_hundred_kib(launch: Launch) -> None:
    """One line may be longer than any buffer."""
    line = launch(long_line_kib=100).expect("x" * 100_000)
    assert len(line) > 100 * 1024


def test_bytes_that_are_no_utf8(launch: Launch) -> None:
    """A line may be no text at all."""
    game = launch(invalid_utf8=True)
    game.expect("Priya")
    assert b"\xff\xfe\xc3(\x00" in game.raw[-1]


def test_a_stack_trace_is_one_message_of_many_lines(launch: Launch) -> None:
    """Only its first line bears the time."""
    game = launch(stack_traces=True)
    game.expect("[Server Error] Exception: Object reference not set")
    assert game.expect("CmdPlayer.setMovespeed").startswith("   at ")


def test_players_imitate_the_server(launch: Launch) -> None:
    """What they type is inside of chat lines; none of it begins a line."""
    game = launch(imitations=True)
    game.expect("[Server Event] Mallory 10.0.0.1:1234 joins.")
    game.expect("Backup complete!")
    assert all("[Server Chat]" in line for line in game.lines if "Mallory" in line)


def test_names_and_texts_beyond_ascii(launch: Launch) -> None:
    """Players from all over the world come, talk and go."""
    game = launch(unicode=True)
    game.expect("Zoë-Ж_日本 192.168.31.220:40001 joins.")
    game.expect("🌲")
    game.expect("Player Ünïcödé left.")


def test_overloaded_ticks(launch: Launch) -> None:
    """A slow tick is a warning with its milliseconds."""
    launch(overloads=True).expect(
        "[Server Warning] Server overloaded. A tick took 563ms to complete."
    )


def test_too_much_memory_ends_the_game(launch: Launch, data: Path) -> None:
    """Above DieAboveMemoryUsageMb the game ends itself."""
    data.mkdir()
    (data / "serverconfig.json").write_text('{"DieAboveMemoryUsageMb": 5}')
    game = launch(memory_mib=8)
    game.expect("Stop reason: Server is consuming too much RAM")
    game.expect("World saved!")
    assert game.wait() == 0
    assert "[Server Error] Memory usage" in game.lines[-1]


def test_any_reason_to_end_itself(launch: Launch) -> None:
    """--self-kill and /simulate stop end the game in order, for the reason that they give."""
    launch(self_kill="Too many errors detected").expect("Stop reason: Too many errors detected")
    game = launch().ready()
    game.send("/simulate stop Critical mod error")
    game.expect("Stop reason: Critical mod error")
    assert game.wait() == 0


def test_a_hang_delays_everything(launch: Launch) -> None:
    """While it hangs nothing is handled, afterwards everything is."""
    game = launch().ready()
    game.send("/simulate hang 0.2", "/time")
    game.expect("Server time")


def test_a_crash_on_command(launch: Launch) -> None:
    """/simulate crash ends it at once."""
    game = launch().ready()
    game.send("/simulate crash")
    assert game.wait() == 134


def test_a_line_of_the_log_as_wanted(launch: Launch) -> None:
    """/simulate say prints any level and text, with continuation lines."""
    game = launch().ready()
    game.send(r"/simulate say Fatal first\nsecond", "/simulate help")
    game.expect("[Server Fatal] first")
    assert game.expect("second") == "second"
    game.expect("What can be simulated:")


def test_the_environment_can_say_it_too(data: Path) -> None:
    """SIMULATE_… stands for every option of the stand-in."""
    environment = {**os.environ, "SIMULATE_HANG_AT_START": "1", "SIMULATE_BOOT_SECONDS": "0"}
    words = [sys.executable, "-m", "gameserver_simulator", "--dataPath", str(data)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"knapping" in line:
                break
        process.send_signal(signal.SIGKILL)


def test_times_of_another_culture(launch: Launch) -> None:
    """--time-separator . prints times as on a Finnish, Danish or Indonesian host."""
    line = launch(time_separator=".").expect("now running on Port")
    assert re.match(r"\d{1,2}\.\d{1,2}\.\d{4} \d{2}\.\d{2}\.\d{2} \[Server Event\] ", line)


def test_a_message_with_line_feeds_is_printed_as_it_is(launch: Launch) -> None:
    """--forgeries: lines in it look like the server's own, but none is in server-main.log."""
    game = launch(forgeries=True)
    game.expect("[Server Chat] 0 | Mallory: hi")
    line = game.expect("[Server Notification] Entering runphase Shutdown")
    assert line[:1].isdigit()
    game.expect("[Server Fatal] Mallory was here")
    log = (game.data / "Logs" / "server-main.log").read_text()
    assert "Mallory" not in log
    assert "Entering runphase Shutdown" not in log
