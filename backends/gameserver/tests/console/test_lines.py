"""Lines of text become messages."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.realtime import Numbered
from gameserver.console.lines import (
    MAX_JOINED_LINES,
    MAX_TEXT_LENGTH,
    ConsoleLine,
    MessageJoiner,
    encode,
    size_of,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def joined(*lines: str) -> list[ConsoleLine]:
    """Return the messages of these lines."""
    joiner = MessageJoiner()
    messages = [joiner.add(line, NOW) for line in lines]
    return [item for item in [*messages, joiner.flush()] if item is not None]


def test_lines_without_a_stamp_go_on() -> None:
    """A message is the stamped line and those that follow without time and level."""
    messages = joined(
        "28.1.2024 15:31:36 [Server Notification] List of online Players",
        "[1] MKRhere [::1]:41206",
        "",
        "5.9.2026 2:08:03 [Server Chat] 0 | Bob: hi",
    )
    assert messages == [
        ConsoleLine(NOW, "Notification", "List of online Players\n[1] MKRhere [::1]:41206\n"),
        ConsoleLine(NOW, "Chat", "0 | Bob: hi"),
    ]


def test_a_late_line_is_continued() -> None:
    """What follows a message that was shown already keeps its level, and says so."""
    joiner = MessageJoiner()
    joiner.add("1.2.2026 12:00:00 [Server Error] Exception: x", NOW)
    assert joiner.flush() == ConsoleLine(NOW, "Error", "Exception: x")
    assert not joiner.pending
    joiner.add("   at Somewhere", NOW)
    assert joiner.flush() == ConsoleLine(NOW, "Error", "   at Somewhere", continued=True)


def test_output_before_any_stamp_has_no_level() -> None:
    """What isn't the game's log has no level, and proves nothing."""
    (message,) = joined("You must install .NET", "now")
    assert message == ConsoleLine(NOW, None, "You must install .NET\nnow")
    assert not message.authentic


@pytest.mark.parametrize(
    "text",
    [
        " 5.9.2026 22:08:03 [Server Event] x",
        "5.9.2026 22:08:03 [Event] x",
        "\u0665.9.2026 22:08:03 [Server Event] x",
        "5.9.2026 22:08:03 [Server Event x",
    ],
)
def test_only_a_true_stamp_begins_a_message(text: str) -> None:
    """A stamp counts only at the beginning of a line, and in its exact form."""
    messages = joined("5.9.2026 22:08:03 [Server Chat] 0 | Bob: hi", text)
    assert [message.level for message in messages] == ["Chat"]


def test_messages_are_bounded() -> None:
    """Neither many nor long continuationlines make a message grow without end."""
    stamped = "1.2.2026 12:00:00 [Server Error] x"
    many = joined(stamped, *["y"] * (3 * MAX_JOINED_LINES))
    assert max(item.text.count("\n") for item in many) < MAX_JOINED_LINES
    assert [item.continued for item in many] == [False, True, True, True]
    long = joined(stamped, *["z" * 60_000] * 5)
    assert max(len(item.text) for item in long) <= MAX_TEXT_LENGTH


def test_who_is_authentic() -> None:
    """Chat, standard error and bare output can't speak for the server."""
    assert ConsoleLine(NOW, "Event", "x").authentic
    assert not ConsoleLine(NOW, "Event", "x", continued=True).authentic
    for level in ("Chat", "Stderr", "Manager", None):
        assert not ConsoleLine(NOW, level, "x").authentic


def test_lines_for_clients() -> None:
    """A client gets number, time, level and text."""
    line = ConsoleLine(NOW, None, 'é "x"')
    assert orjson.loads(encode(Numbered(7, line))) == {
        "number": 7,
        "at": "2026-01-02T00:00:00+00:00",
        "level": None,
        "text": 'é "x"',
        "continued": False,
    }
    assert size_of(line) > len(line.text)


@given(st.lists(st.text(max_size=80) | st.just("1.2.2026 12:00:00 [Server Event] x"), max_size=30))
def test_no_text_is_lost(lines: list[str]) -> None:
    """Every line of text is in a message, in its order."""
    texts = "\n".join(item.text for item in joined(*lines)) if lines else ""
    assert texts == "\n".join(
        line.removeprefix("1.2.2026 12:00:00 [Server Event] ") for line in lines
    )
