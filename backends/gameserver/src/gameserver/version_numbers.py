"""Version numbers of the game, and of mods, which follow the same form."""

import re
from dataclasses import dataclass
from typing import Final

PATTERN: Final = r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}(?:-(?:dev|pre|rc)\.[0-9]{1,6})?"
"""For schemas: the form in which the game and its mods write versions, unanchored."""

_EXACT: Final = re.compile(PATTERN, re.ASCII)
_LENIENT: Final = re.compile(
    r"v?(?P<numbers>[0-9]{1,6}(?:\.[0-9]{1,6}){0,2})(?:\.0{1,6})?"
    r"(?:-(?P<stage>dev|pre|rc)\.?(?P<attempt>[0-9]{0,6}))?",
    re.ASCII | re.IGNORECASE,
)
_STAGES: Final = {"dev": 0, "pre": 1, "rc": 2, "": 3}


class InvalidVersionNumber(ValueError):
    """A text doesn't have the form X.Y.Z, X.Y.Z-dev.N, X.Y.Z-pre.N or X.Y.Z-rc.N."""


@dataclass(frozen=True, order=True)
class VersionNumber:
    """X.Y.Z[-dev.N | -pre.N | -rc.N], in the game's order: dev < pre < rc < release."""

    numbers: tuple[int, int, int]
    stage: int
    attempt: int

    @classmethod
    def parse(cls, text: str) -> "VersionNumber":
        """Parse a text such as `1.22.7` or `v1.22.0-rc.3`. Raises `InvalidVersionNumber`."""
        number = number_of(text)
        if number is None or not is_version(text.removeprefix("v")):
            raise InvalidVersionNumber("A version looks like 1.22.7 or 1.22.0-rc.3.")
        return number

    @property
    def stable(self) -> bool:
        """Whether this is a release."""
        return self.stage == _STAGES[""]


def is_version(text: str) -> bool:
    """Return whether a text is exactly a version number, and so safe as a folder's name."""
    return _EXACT.fullmatch(text) is not None


def number_of(text: str) -> VersionNumber | None:
    """Return the number that `1.2.3`, `v1.2`, `1.2.3-rc1` or `1.2.3-rc.1` names, else None."""
    match = _LENIENT.fullmatch(text.strip())
    if match is None:
        return None
    major, minor, patch = [*map(int, match["numbers"].split(".")), 0, 0][:3]
    stage = _STAGES[(match["stage"] or "").lower()]
    return VersionNumber((major, minor, patch), stage, int(match["attempt"] or 0))


def is_same(version: str, other: str) -> bool:
    """Return whether two texts name the same version."""
    number = number_of(version)
    return version == other or (number is not None and number == number_of(other))


def is_at_least(have: str, need: str) -> bool:
    """Return whether version `have` satisfies the minimum version `need`; "" and `*` are any.

    A need that is no version number asks for nothing that could be checked, and is satisfied; a
    version that is none satisfies only that.
    """
    needed, number = number_of(need), number_of(have)
    return needed is None or (number is not None and number >= needed)


def version_key(version: str) -> tuple[VersionNumber, ...]:
    """Return what orders versions as texts; what is no version number comes before all."""
    number = number_of(version)
    return () if number is None else (number,)


def is_newer(version: str, other: str) -> bool:
    """Return whether a version comes after another, in the order of `version_key`."""
    return version_key(version) > version_key(other)
