"""What may be typed into the game's console."""

import re
from typing import Final

from gameserver.console.exceptions import CommandRefused

MAX_COMMAND_LENGTH: Final = 1_000
"""Characters."""

_NAME = re.compile(r"(\w|-){1,16}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def checked_command(command: str, *, allow_selectors: bool = False) -> str:
    """Return a command without blanks around it, when it is one line that does what it says.

    A word with `[` is a selector to the game: `o[]` is everybody on line, `a[]` everybody ever
    seen. It passes only when the sender says that it is meant. Raises `CommandRefused`.
    """
    stripped = command.strip(" ")
    if not stripped:
        raise CommandRefused("The command is empty.")
    if len(stripped) > MAX_COMMAND_LENGTH:
        raise CommandRefused(f"The command has more than {MAX_COMMAND_LENGTH} characters.")
    if _UNSAFE.search(stripped):
        raise CommandRefused("The command has control characters or more than one line.")
    if stripped.startswith("/") and "[" in stripped and not allow_selectors:
        raise CommandRefused(
            "A word with [ selects players, perhaps all: say allow_selectors if you mean it."
        )
    return stripped


def checked_name(name: str) -> str:
    """Return a player's name when it is one, as the game takes them. Raises `CommandRefused`."""
    if not _NAME.fullmatch(name):
        raise CommandRefused("A player's name is 1 to 16 letters, digits, _ or -.")
    return name
