"""What is shown does nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.console.sanitize import HIDDEN, redact_command, redact_message, sanitize


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 🎉", "plain é 日本 🎉"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("a\x00b\x07c\x7f", "a\ufffdb\ufffdc\ufffd"),
        ("a\rb", "a\ufffdb"),
        ("tab\tkept", "tab\tkept"),
        ("evil\u202etxt.exe", "evil\ufffdtxt.exe"),
        ("\x9b31mC1", "\ufffd31mC1"),
    ],
)
def test_control_characters_are_gone(text: str, shown: str) -> None:
    """Escape sequences vanish, other control characters are replaced, the rest stays."""
    assert sanitize(text) == shown


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    """Whatever the text, only tabs and line feeds are left of the control characters."""
    left = {char for char in sanitize(text) if unicodedata.category(char) == "Cc"}
    assert left <= {"\t", "\n"}


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("/time set 8", "/time set 8"),
        ("/serverconfig password hunter2", f"/serverconfig password {HIDDEN}"),
        ("/sc PassWord hunter2 x", f"/sc PassWord {HIDDEN}"),
        ("/serverconfig nopassword", "/serverconfig nopassword"),
        ("/mymod apikey=abc def", f"/mymod apikey=abc {HIDDEN}"),
        ("/x secret-token abc", f"/x secret-token {HIDDEN}"),
        ("/passtimewhenempty on", "/passtimewhenempty on"),
    ],
)
def test_secrets_in_commands_are_cut(command: str, kept: str) -> None:
    """What follows a word that announces a secret is cut."""
    assert redact_command(command) == kept


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password set to hunter2", f"password set to {HIDDEN}"),
        ("Current password is hunter2", f"Current password is {HIDDEN}"),
        ("Admin changes server config Password to hunter2.",
         f"Admin changes server config Password to {HIDDEN}"),
        ("Handling Console Command /serverconfig password hunter2 ",
         f"Handling Console Command /serverconfig password {HIDDEN}"),
        ("Handling Console Command /time ", "Handling Console Command /time "),
        ("X fails to join (invalid server password).",
         "X fails to join (invalid server password)."),
    ],
)  # fmt: skip
def test_secrets_in_messages_are_cut(text: str, shown: str) -> None:
    """What the game repeats of a password is not shown."""
    assert redact_message(text) == shown
