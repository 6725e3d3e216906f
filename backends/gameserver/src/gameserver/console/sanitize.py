"""Commands are checked on their way to the game, and its output is made safe to show."""

import re
from typing import Final

from gameserver.console.exceptions import CommandRefused

HIDDEN: Final = "•••"

MAX_COMMAND_BYTES: Final = 1_022
"""Bytes in UTF-8. With its line feed a command fits into the buffer of 1,024 bytes into which the
game reads its console; a longer one would end the console for the rest of the run."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPES = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI: colours, cursor (ECMA-48, section 5.4)
    r"|\x1b\][^\x07\x1b]{0,1024}(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|\x1b[@-Z\\-_]?"
)
_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        *range(0x2028, 0x202F),  # line separators, and what changes the direction of text
        *range(0x2066, 0x206A),
        0x200E,
        0x200F,
        0xFEFF,
    )
    if code not in {0x09, 0x0A}
}
_SECRET_WORD = re.compile(r"pass(?:wd|phrase)?\b|password|secret|token|api[_-]?key", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?P<prefix>\b\w{0,30}(?:password|secret|token|api[_-]?key)\b[^\n]{0,40}?\b(?:set to|to|is) )"
    r"[^\n]+",
    re.IGNORECASE,
)
_COMMAND_ECHO = "Handling Console Command "


def check_command(command: str, *, allow_selectors: bool = False) -> str:
    """Return a command without surrounding blanks. Raises `CommandRefused` unless it is one line.

    A word with `[` is a selector to the game: `o[]` is everybody online, `a[]` everybody ever seen.
    `allow_selectors` says that this is meant.
    """
    stripped = command.strip(" ")
    if not stripped:
        raise CommandRefused("The command is empty.")
    if _UNSAFE.search(stripped):
        raise CommandRefused("The command has control characters or more than one line.")
    if len(stripped.encode()) > MAX_COMMAND_BYTES:
        raise CommandRefused(
            f"The command has more than {MAX_COMMAND_BYTES} bytes; most letters outside English "
            "take two or three."
        )
    if stripped.startswith("/") and "[" in stripped and not allow_selectors:
        raise CommandRefused(
            "A word with [ selects players, perhaps all: set allow_selectors if you mean it."
        )
    return stripped


def sanitize(text: str) -> str:
    """Return a line without escape sequences; other control characters become U+FFFD.

    Nothing in it can move a terminal's cursor or change the direction of the text around it.
    """
    if text.isprintable():
        return text
    return _ESCAPES.sub("", text).translate(_CONTROLS)


def redact_command(command: str) -> str:
    """Return a command up to the word that announces a secret: `/serverconfig password •••`."""
    match = _SECRET_WORD.search(command)
    if match is None:
        return command
    end = command.find(" ", match.end())
    return command if end < 0 else f"{command[:end]} {HIDDEN}"


def redact_message(text: str) -> str:
    """Return a message of the game without secrets.

    The game repeats them in the echo of a command, and when a password is shown or changed. Quick
    for the many messages without any.
    """
    if _SECRET_WORD.search(text) is None:
        return text
    first, line_feed, others = text.partition("\n")
    if first.startswith(_COMMAND_ECHO):
        first = _COMMAND_ECHO + redact_command(first.removeprefix(_COMMAND_ECHO))
    return _SECRET_VALUE.sub(rf"\g<prefix>{HIDDEN}", first + line_feed + others)
