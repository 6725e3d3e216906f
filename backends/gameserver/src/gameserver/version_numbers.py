"""Version numbers of the game, and of mods, which follow the same form."""

import re
from dataclasses import dataclass
from typing import Final, Self

PATTERN: Final = r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}(?:-(?:dev|pre|rc)\.[0-9]{1,6})?"
"""For schemas: the form in which the game and its mods write versions, unanchored."""

_FORM: Final = re.compile(
    r"(?P<numbers>[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6})"
    r"(?:-(?P<stage>dev|pre|rc)\.(?P<attempt>[0-9]{1,6}))?",
    re.ASCII,
)
_STAGES: Final = {"dev": 0, "pre": 1, "rc": 2, None: 3}


class InvalidVersionNumber(ValueError):
    """A text doesn't have the form X.Y.Z, X.Y.Z-dev.N, X.Y.Z-pre.N or X.Y.Z-rc.N."""


@dataclass(frozen=True, order=True)
class VersionNumber:
    """X.Y.Z[-dev.N | -pre.N | -rc.N], in the game's order: dev < pre < rc < release."""

    numbers: tuple[int, int, int]
    stage: int
    attempt: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a text such as `1.22.7` or `v1.22.0-rc.3`.

        Raises `InvalidVersionNumber`.
        """
        match = _FORM.fullmatch(text.removeprefix("v"))
        if match is None:
            raise InvalidVersionNumber("A version looks like 1.22.7 or 1.22.0-rc.3.")
        major, minor, patch = (int(part) for part in match["numbers"].split("."))
        return cls((major, minor, patch), _STAGES[match["stage"]], int(match["attempt"] or 0))

    @property
    def stable(self) -> bool:
        """Whether this is a release."""
        return self.stage == _STAGES[None]


def is_version(text: str) -> bool:
    """Return whether a text is exactly a version number, and so safe as a folder's name."""
    return _FORM.fullmatch(text) is not None
