"""The console of the simulated game: one read of the pipe is one command."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Launch = Callable[..., Any]


def type_while_it_sleeps(game: Any, *pieces: bytes) -> None:
    """Write pieces while the game is frozen, so that one read returns all of them."""
    os.kill(game.process.pid, signal.SIGSTOP)
    # The signal is on its way when kill() returns: until it arrives, a thread may still read.
    tasks = Path(f"/proc/{game.process.pid}/task")
    while any(_state(task) != "T" for task in tasks.iterdir()):
        pass
    for piece in pieces:
        game.write(piece)
    os.kill(game.process.pid, signal.SIGCONT)


def _state(task: Path) -> str:
    """Return the state of a thread, as proc(5) names it."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def test_two_lines_in_one_read_are_one_command(game: Any) -> None:
    """The line feed becomes part of the arguments: the stop is only announced."""
    game.send("/time")
    game.expect("Game Speed")
    type_while_it_sleeps(game, b"/announce The server is stopping.\n", b"/stop\n")
    game.expect("Handling Console Command /announce The server is stopping.")
    assert game.expect("/stop").startswith("/stop")
    game.send("/time")
    game.expect("Server time")


def test_a_line_feed_in_the_name_makes_an_unknown_command(game: Any) -> None:
    """`/autosavenow` and the command behind it are both lost."""
    game.send("/time")
    game.expect("Game Speed")
    type_while_it_sleeps(game, b"/autosavenow\n", b"/whitelist add Ada\n", b"/kick Bob bye\n")
    game.expect("Handling Console Command /autosavenow")
    game.send("/time")
    game.expect("Server time")
    assert not any("Autosav" in line or "whitelisted" in line for line in game.lines)


@pytest.mark.parametrize("text", [b"/time " + b"x" * 1_100 + b"\n", b"/time"])
def test_a_read_without_a_line_feed_at_its_end_ends_the_console(game: Any, text: bytes) -> None:
    """From then on nothing is read; the game plays on, and a signal still ends it."""
    game.write(text)
    while game.unread >= len(text):
        pass
    rest = game.unread
    game.write(b"/stop\n")
    assert game.unread == rest + len(b"/stop\n")
    game.signal(signal.SIGTERM)
    assert game.wait() == 0
    assert not any("Handling Console Command" in line for line in game.lines)


def test_the_longest_command(game: Any) -> None:
    """A command of 1,023 bytes with its line feed is taken whole."""
    command = "/time " + "x" * (1_023 - len("/time \n"))
    game.send(command, "/time")
    assert game.expect("Handling Console Command /time xxx").endswith(command)
    game.expect("Game Speed")


def test_a_kinder_game_takes_each_line(launch: Launch) -> None:
    """--console-by-line: however the lines come, each is a command."""
    game = launch(console_by_line=True).ready()
    type_while_it_sleeps(game, b"/announce hi\n", b"/ti", b"me " + b"x" * 2_000 + b"\n/stop\n")
    assert game.wait() == 0
