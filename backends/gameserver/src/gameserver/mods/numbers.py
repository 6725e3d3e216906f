"""Version numbers of mods: the game's form, read as leniently as their authors write it."""

import re
from functools import cmp_to_key
from typing import Final

from gameserver.version_numbers import InvalidVersionNumber, VersionNumber

ANY_VERSION: Final = ("", "*")
_LENIENT: Final = re.compile(
    r"v?(?P<numbers>[0-9]{1,6}(?:\.[0-9]{1,6}){0,2})(?:\.0{1,6})?"
    r"(?:-(?P<stage>dev|pre|rc)\.?(?P<attempt>[0-9]{0,6}))?",
    re.ASCII | re.IGNORECASE,
)


def number_of(text: str) -> VersionNumber | None:
    """Return the number that `1.2.3`, `v1.2`, `1.2.3-rc1` or `1.2.3-rc.1` names, else None."""
    found = _LENIENT.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [*found["numbers"].split("."), "0", "0"][:3]
    stage = f"-{found['stage'].lower()}.{found['attempt'] or 0}" if found["stage"] else ""
    try:
        return VersionNumber.parse(".".join(numbers) + stage)
    except InvalidVersionNumber:
        return None


def is_same(one: str, other: str) -> bool:
    """Return whether two texts name the same version."""
    if one == other:
        return True
    number = number_of(one)
    return number is not None and number == number_of(other)


def is_at_least(have: str, need: str) -> bool:
    """Return whether version `have` satisfies the least version `need`; "" and `*` are any.

    A need that is no version number asks for nothing that could be checked, and is satisfied; a
    version that is none satisfies only that.
    """
    needed = None if need.strip() in ANY_VERSION else number_of(need)
    if needed is None:
        return True
    number = number_of(have)
    return number is not None and number >= needed


def is_newer(one: str, other: str) -> bool:
    """Return whether `one` comes after `other`; what is no version number comes before all."""
    first, second = number_of(one), number_of(other)
    if first is None or second is None:
        return first is not None and second is None
    return first > second


def _compared(one: str, other: str) -> int:
    return int(is_newer(one, other)) - int(is_newer(other, one))


version_key = cmp_to_key(_compared)
"""A `key=` for `sorted` and `max` over versions as texts."""
