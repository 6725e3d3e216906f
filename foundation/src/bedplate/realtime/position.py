"""A place in a stream of events, as clients name it."""

import re
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r"([0-9A-Za-z_]{1,64})-([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """An epoch, which names a sequence of events, and the offset of the last event that was seen.

    Offsets count from 1 and have no gaps; 0 is before the first event. As text: `epoch-offset`.
    """

    epoch: str
    offset: int

    def __str__(self) -> str:
        """Return `epoch-offset`."""
        return f"{self.epoch}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the position that a text names, or None when it names none."""
        match = _TEXT.fullmatch(text)
        return None if match is None else cls(match[1], int(match[2]))


UNKNOWN = Position("", 0)
"""A position in no stream: of a client that sent something, but nothing that can be read."""
