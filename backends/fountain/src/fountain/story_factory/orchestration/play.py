"""What music is made from: the lines of a play, in order."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One element of a story; an empty text stands for what isn't there.

    section  which section it belongs to, None for the one that goes on
    heading  that section's heading
    """

    section: int | None = None
    heading: str = ""
    speaker: str = ""
    action: str = ""
    words: str = ""


@dataclass(frozen=True)
class Play:
    """A story with its title and author."""

    title: str
    author: str
    lines: Sequence[Line]
