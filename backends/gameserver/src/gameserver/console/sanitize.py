"""Text from the game is made harmless before it is shown, and secrets in it are cut."""

import re
from typing import Final

HIDDEN: Final = "•••"

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
        *range(0x2028, 0x202F),  # line separators, and what turns the direction of text
        *range(0x2066, 0x206A),
        0x200E,
        0x200F,
        0xFEFF,
    )
    if code not in {0x09, 0x0A}
}
_SECRET_WORD = re.compile(r"pass(?:wd|phrase)?\b|password|secret|token|api[_-]?key", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?P<kept>\b\w{0,30}(?:password|secret|token|api[_-]?key)\b[^\n]{0,40}?\b(?:set to|to|is) )"
    r"[^\n]+",
    re.IGNORECASE,
)
_COMMAND_ECHO = "Handling Console Command "


def sanitize(text: str) -> str:
    """Return a line without escape sequences; other control characters become U+FFFD.

    Nothing in it can move a terminal's cursor, or turn the direction of the text around it.
    """
    if text.isprintable():
        return text
    return _ESCAPES.sub("", text).translate(_CONTROLS)


def redact_command(command: str) -> str:
    """Return a command up to the word that announces a secret: `/serverconfig password •••`."""
    found = _SECRET_WORD.search(command)
    if found is None:
        return command
    end = command.find(" ", found.end())
    return command if end < 0 else f"{command[:end]} {HIDDEN}"


def redact_message(text: str) -> str:
    """Return a message of the game without the secrets that it repeats.

    These are the echo of a command with a password, and what the game says when one is shown or
    changed. Quick for the many that hold none.
    """
    if _SECRET_WORD.search(text) is None:
        return text
    first, line_feed, others = text.partition("\n")
    if first.startswith(_COMMAND_ECHO):
        first = _COMMAND_ECHO + redact_command(first.removeprefix(_COMMAND_ECHO))
    return _SECRET_VALUE.sub(rf"\g<kept>{HIDDEN}", first + line_feed + others)
