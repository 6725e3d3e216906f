"""The parts that all commands share."""

from collections.abc import Callable
from dataclasses import dataclass

from gameserver_simulator.game.game import Game

Handler = Callable[[Game, str], str | None]
"""Takes the words after the command's name, and returns the immediate reply, if any."""


class UsageError(Exception):
    """A command has the wrong arguments."""


@dataclass(frozen=True)
class Command:
    """A command, its arguments, and its purpose."""

    handler: Handler
    grammar: str
    meaning: str


def split(words: str, count: int, rest: bool = False) -> list[str]:
    """Return at least `count` words; with `rest` one more, which is the remaining text or empty.

    Raises `UsageError` when there are fewer.
    """
    parts = words.split(None, count) if rest else words.split()
    if len(parts) < count:
        raise UsageError
    return [*parts, ""] if rest and len(parts) == count else parts


def number(word: str) -> int:
    """Return a word as an integer. Raises `UsageError`."""
    try:
        return int(word)
    except ValueError:
        raise UsageError from None
