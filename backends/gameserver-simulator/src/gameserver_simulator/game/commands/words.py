"""What a command is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

Handler = Callable[["Game", str], str | None]
"""Takes the words after the command's name; returns the reply, if it has one at once."""


class WrongUse(Exception):
    """A command was given the wrong words."""


@dataclass(frozen=True)
class Command:
    """A command: what it does, the words it takes, what it is for."""

    handler: Handler
    grammar: str
    meaning: str


def split(words: str, least: int, rest: bool = False) -> list[str]:
    """Return at least `least` words; with `rest` the last one is all that is left, maybe empty.

    Raises `WrongUse` when there are fewer.
    """
    parts = words.split(None, least) if rest else words.split()
    if len(parts) < least:
        raise WrongUse
    return [*parts, ""] if rest and len(parts) == least else parts


def number(word: str) -> int:
    """Return a word as an integer. Raises `WrongUse`."""
    try:
        return int(word)
    except ValueError:
        raise WrongUse from None
