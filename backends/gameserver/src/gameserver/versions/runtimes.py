"""Which runtime a version of the game needs."""

from typing import Final

from gameserver.versions.numbers import VersionNumber

# AMP, Pelican's eggs and the Docker images agree; LinuxGSM #4818 shows what happens otherwise.
_FIRST_WITH: Final = (((1, 22, 0), ".NET 10"), ((1, 21, 0), ".NET 8"), ((1, 19, 0), ".NET 7"))


def runtime_of(version: str) -> str:
    """Return the runtime's name. Raises `NoVersionNumber`."""
    numbers = VersionNumber.parse(version).numbers
    return next((runtime for first, runtime in _FIRST_WITH if numbers >= first), "Mono")
