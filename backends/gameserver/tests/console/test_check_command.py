"""What may be typed into the console."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.console.exceptions import CommandRefused
from gameserver.console.sanitize import MAX_COMMAND_BYTES, check_command


@pytest.mark.parametrize("command", ["/time", "  /time set 8 ", "hello everybody [x]", "/say é🎉"])
def test_ordinary_commands_pass(command: str) -> None:
    """One line is passed on, without the blanks around it; chat may have brackets."""
    assert check_command(command) == command.strip()


@pytest.mark.parametrize(
    "command",
    [
        "", "   ", "/time\n/stop", "/time\r/stop", "/time\x00", "/say \x1b[31m", "/say \u2028/stop",
        "/say \x85x", "/say \ud800", "/" + "x" * MAX_COMMAND_BYTES,
    ],
)  # fmt: skip
def test_unsafe_commands_are_refused(command: str) -> None:
    """Nothing, several lines, control characters and endless commands never reach the game."""
    with pytest.raises(CommandRefused) as refused:
        check_command(command)
    assert command.strip() == "" or command not in str(refused.value)


@pytest.mark.parametrize("letter", ["x", "é", "ж", "日", "🎉"])
def test_the_bound_counts_bytes(letter: str) -> None:
    """The longest command, with its line feed, is what one read of the game's console takes."""
    room = MAX_COMMAND_BYTES - len("/say ")
    fits = "/say " + letter * (room // len(letter.encode()))
    assert len(f"{check_command(fits)}\n".encode()) <= 1_023
    with pytest.raises(CommandRefused, match="1022 bytes"):
        check_command(fits + letter)


@pytest.mark.parametrize("command", ["/kick o[]", "/player a[] wipedata", "/ban x[name=y]"])
def test_selectors_have_to_be_meant(command: str) -> None:
    """A word that selects many players passes only when the sender says so."""
    with pytest.raises(CommandRefused, match="allow_selectors"):
        check_command(command)
    assert check_command(command, allow_selectors=True) == command


@given(st.text(max_size=1200), st.booleans())
def test_what_passes_is_one_line(command: str, meant: bool) -> None:
    """Whatever passes is one line of printable UTF-8 within the bound."""
    try:
        checked = check_command(command, allow_selectors=meant)
    except CommandRefused:
        return
    assert len(f"{checked}\n".encode().splitlines()) == 1
    assert 0 < len(checked.encode()) <= MAX_COMMAND_BYTES
