"""Stops: the ordered sequence, exit codes, signals, and the stops that hang."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

Launch = Callable[..., Any]

STOP = """\
[Server Notification] Handling Console Command /stop
[Server Event] Admin shuts down server.
[Server Notification] Server stop requested, begin shutdown sequence. Stop reason: Shutdown via
[Server Notification] Server ticking has been suspended
[Server Notification] Entering runphase Shutdown
[Server Notification] Defragmented listener lists
[Server Event] Mods and systems notified, now saving everything...
[Server Event] Saved player world data...
[Server Event] Saved map regions...
[Server Event] Saved map chunks...
[Server Event] Saved loaded chunks...
[Server Event] Saved generating chunks...
[Server Event] Saved savegamedata...2
[Server Event] World saved! Saved
[Server Event] Shutting down 6 server threads...
[Server Event] Killed console thread
[Server Event] All threads gracefully shut down
[Server Event] Doing last tick...
[Server Event] Stopped the server!
"""


def test_the_lines_of_a_stop_come_as_in_the_real_log(game: Any) -> None:
    """Each line of the reference's sample appears in its order, and the exit code is 0."""
    game.send("/stop")
    for part in STOP.splitlines():
        game.expect(part)
    assert game.wait() == 0


def test_stop_takes_an_exit_code(game: Any) -> None:
    """/stop N ends the process with N."""
    game.send("/stop 42")
    assert game.wait() == 42


def test_an_exit_code_has_eight_bits(game: Any) -> None:
    """As the operating system has it."""
    game.send("/stop 300")
    assert game.wait() == 300 - 256


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_order(game: Any, number: signal.Signals) -> None:
    """SIGTERM and SIGINT are announced, then the world is saved."""
    game.signal(number)
    game.expect(f"Server termination event {number.name} received. Shutting down server")
    game.expect("Stop reason: External close event (CTRL+C/kill/etc)")
    game.expect("World saved!")
    game.expect("Stopped the server!")
    assert game.wait() == 0


def test_players_are_thrown_out_first(game: Any) -> None:
    """At the stop each player is removed, with the reason, before anything is saved."""
    game.send("/simulate join Uraka", "/stop")
    game.expect(
        "Player Uraka got removed. Reason: Server shutting down - Shutdown via server command"
    )
    game.expect("Server ticking has been suspended")


def test_a_hanging_stop_needs_a_signal(launch: Launch) -> None:
    """/stop hangs before it saves; SIGTERM lets it finish."""
    game = launch(hang_at_stop=True).ready()
    game.send("/stop")
    game.expect("Entering runphase Shutdown")
    assert game.process.poll() is None
    game.signal(signal.SIGTERM)
    game.expect("World saved!")
    assert game.wait() == 0


def test_a_server_that_cannot_pause_stops_all_the_same(launch: Launch) -> None:
    """The stop warns that it is only partially suspended, then saves."""
    game = launch(suspend_fails=True, suspend_seconds=0).ready()
    game.send("/stop")
    game.expect("Server suspend requested, but reached max wait time.")
    game.expect("World saved!")
    assert game.wait() == 0


def test_a_stop_that_hangs_and_ignores_signals_needs_a_kill(launch: Launch) -> None:
    """With both options nothing but SIGKILL ends it, and the write-ahead log stays behind."""
    game = launch(hang_at_stop=True, ignore_sigterm=True).ready()
    game.send("/autosavenow")
    game.expect("Offthread save of savegame done.")
    game.signal(signal.SIGTERM)
    game.send("/stop")
    game.expect("Entering runphase Shutdown")
    assert game.process.poll() is None
    game.process.kill()
    assert game.wait() == -signal.SIGKILL
    assert (game.data / "Saves" / "default.vcdbs-wal").stat().st_size > 0


def test_the_end_of_standard_input_ends_nothing(game: Any) -> None:
    """A closed console leaves the game running, as the real one does."""
    game.process.stdin.close()
    game.process.stdin = None
    game.signal(signal.SIGTERM)
    game.expect("Server termination event SIGTERM received")
    assert game.wait() == 0


def test_a_crash_saves_nothing(launch: Launch) -> None:
    """A crash prints the exception, writes the report, and exits with 134."""
    game = launch(crash_on="/time").ready()
    game.send("/time")
    assert game.wait() == 134
    assert any("[Server Fatal] Caught unhandled exception" in line for line in game.lines)
    assert not any("World saved!" in line for line in game.lines)
    assert (game.data / "Logs" / "server-crash.log").exists()


def test_the_first_starts_crash(launch: Launch) -> None:
    """--crash-first N crashes N starts over a data path; the next one is sound."""
    assert launch(crash_first=2).wait() == 134
    assert launch(crash_first=2).wait() == 134
    launch(crash_first=2).ready()


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_it_crashes_after_a_while(launch: Launch, seconds: float) -> None:
    """--crash-after crashes while starting or while running, whichever it is by then."""
    assert launch(crash_after=seconds).wait() == 134


def test_every_end_can_have_the_wanted_exit_code(launch: Launch) -> None:
    """--exit-code holds for a stop and for a crash."""
    game = launch(exit_code=7).ready()
    game.send("/stop")
    assert game.wait() == 7
    assert launch(exit_code=7, crash_after=0).wait() == 7
