"""One change between two documents."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Change:
    """What changed, where, and whether a client that worked before may fail."""

    place: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"{'breaking' if self.breaking else 'compatible'}: {self.place}: {self.what}"
