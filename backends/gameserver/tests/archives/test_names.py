"""Names of files in archives: one rule for backups, versions of the game and mods."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameserver.archives.names import is_plain_name, is_safe_name, safe_path

LONG = "x" * 256


@pytest.mark.parametrize(
    "name", ["", "/a", "..", "a/..", "a\n", "a\x7f", "\ud800", "C:", LONG, "a/" * 33, "a/" * 600]
)
def test_unsafe_names_are_refused_everywhere(name: str) -> None:
    """Length, depth and characters are judged alike, whatever the archive is."""
    assert not is_safe_name(name)
    assert not is_safe_name(name, windows=True)


@pytest.mark.parametrize(
    ("name", "linux", "windows"), [("a/b:c", True, False), ("a\\b", False, True)]
)
def test_windows_has_its_own_separators(name: str, linux: bool, windows: bool) -> None:
    """A colon within a path is harmless on Linux; a backslash separates folders on Windows."""
    assert is_safe_name(name) is linux
    assert is_safe_name(name, windows=True) is windows


@given(st.text())
def test_a_safe_path_stays_within(name: str) -> None:
    """A safe path is relative, and each of its parts is a plain name."""
    if is_safe_name(name):
        path = safe_path(name)
        assert all(is_plain_name(part) for part in path.parts)
        assert Path("/folder", path).parts[:2] == ("/", "folder")
