"""Settings as console commands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.configuration.keys import BY_NAME, KEYS
from gameserver.configuration.live import command_words, confirms
from gameserver.console.sanitize import check_command


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("ServerName", "Our server", "name Our server"),
        ("WelcomeMessage", "Welcome {0}, sit down", "welcome Welcome {0}, sit down"),
        ("WelcomeMessage", "one\ntwo", None),
        ("ServerName", "[EU] ours", None),
        ("ServerName", "", None),
        ("ServerName", " blank", None),
        ("ServerName", "x" * 1_010, None),
        ("WelcomeMessage", "ж" * 575, None),
        ("Password", "two words", None),
        ("Password", "word", "password word"),
        ("Password", None, "nopassword"),
        ("ServerUrl", None, None),
        ("WhitelistMode", 1, "whitelistmode off"),
        ("AllowPvP", True, "allowpvp on"),
        ("MaxClients", 5, "maxclients 5"),
        ("Port", 42421, None),
    ],
)
def test_only_what_the_console_takes_whole_is_sent(key: str, value: Any, words: str | None) -> None:
    """Line breaks, brackets, blanks at the ends and empty texts never become a command."""
    assert command_words(BY_NAME[key], value) == words


@given(st.sampled_from([key for key in KEYS if key.command]), st.text())
def test_no_text_becomes_another_command(key: Any, text: str) -> None:
    """Whatever text a setting has, its command is one that the console admits unchanged."""
    if key.command == "whitelistmode":
        return
    words = command_words(key, text)
    if words is not None:
        command = f"/serverconfig {words}"
        assert check_command(command) == command


def test_only_the_game_s_own_words_confirm() -> None:
    """Another value, another setting and other texts are no confirmation."""
    name = BY_NAME["ServerName"]
    assert confirms("name set to Ours", name, "Ours")
    assert not confirms("name set to Theirs", name, "Ours")
    assert not confirms("description set to Ours", name, "Ours")
    assert not confirms("Name gesetzt auf Ours", name, "Ours")
    assert confirms("spawncapplayerscaling set to 0.75", BY_NAME["SpawnCapPlayerScaling"], 0.75)
    assert confirms("Password removed", BY_NAME["Password"], None)
