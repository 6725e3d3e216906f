"""Version numbers: read and ordered as the game does."""

import pytest

from gameserver.process.program import runtime_by_version
from gameserver.version_numbers import InvalidVersionNumber, VersionNumber, is_version

ORDERED = [
    "1.9.9", "1.21.0-dev.1", "1.21.0-pre.1", "1.21.0-pre.10", "1.21.0-rc.1", "1.21.0", "1.21.10",
    "1.22.0-rc.2", "1.22.0",
]  # fmt: skip


def test_the_order_is_the_games() -> None:
    """The order is dev < pre < rc < release, and numbers count as numbers."""
    shuffled = ORDERED[4:] + ORDERED[:4]
    assert sorted(shuffled, key=VersionNumber.parse) == ORDERED
    assert VersionNumber.parse("v1.22.7") == VersionNumber.parse("1.22.7")


@pytest.mark.parametrize(
    "text",
    ["", "1.2", "1.2.3.4", "1.2.3-beta.1", "../1.2.3", "1.2.3\n", "\u0661.2.3", "1.2.9999999"],
)
def test_what_is_no_version(text: str) -> None:
    """Nothing else passes: a version becomes a folder's name."""
    assert not is_version(text)
    with pytest.raises(InvalidVersionNumber):
        VersionNumber.parse(text)


@pytest.mark.parametrize(
    ("version", "runtime"),
    [
        ("1.22.7", ".NET 10"), ("1.22.0-rc.1", ".NET 10"), ("1.21.6", ".NET 8"),
        ("1.20.12", ".NET 7"), ("1.19.0", ".NET 7"), ("1.18.7", "Mono"), ("2.0.0", ".NET 10"),
    ],
)  # fmt: skip
def test_the_runtime_follows_from_the_version(version: str, runtime: str) -> None:
    """Each version names what it needs to run."""
    assert runtime_by_version(version) == runtime
