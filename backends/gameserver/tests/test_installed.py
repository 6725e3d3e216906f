"""Installed versions: found by their folders, one of them current."""

from pathlib import Path

import pytest

from gameserver.installed import InstalledVersions, VersionNotInstalled
from gameserver.layout import Layout
from gameserver.version_numbers import InvalidVersionNumber


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Give an empty data directory."""
    made = Layout(tmp_path / "data")
    made.create()
    return made


@pytest.fixture
def installed(layout: Layout) -> InstalledVersions:
    """Give what knows the installed versions."""
    return InstalledVersions(layout)


async def test_folders_are_the_installed_versions(
    layout: Layout, installed: InstalledVersions, tmp_path: Path
) -> None:
    """The newest comes first; links, files and other names are none."""
    for name in ("1.21.6", "1.22.0-rc.1", "1.22.0", "notes", "1.21"):
        (layout.servers / name).mkdir()
    (layout.servers / "1.19.0").write_text("a file")
    (layout.servers / "1.18.0").symlink_to(tmp_path)
    found = [item.version for item in await installed.list()]
    assert found == ["1.22.0", "1.22.0-rc.1", "1.21.6"]
    with pytest.raises(VersionNotInstalled):
        await installed.find("1.18.0")


async def test_the_current_version_is_remembered(
    layout: Layout, installed: InstalledVersions
) -> None:
    """Another manager reads what this one chose; a folder that went leaves none current."""
    (layout.servers / "1.21.6").mkdir()
    assert await installed.current() is None
    await installed.select("1.21.6")
    again = await InstalledVersions(layout).current()
    assert again is not None
    assert again.folder == layout.servers / "1.21.6"
    (layout.servers / "1.21.6").rmdir()
    assert await installed.current() is None
    with pytest.raises(VersionNotInstalled):
        await installed.select("1.21.6")


async def test_the_newest_version_of_a_world_counts(installed: InstalledVersions) -> None:
    """An older version that runs a world later doesn't make it older; a restore does."""
    for version in ("1.21.6", "1.22.0", "1.21.6"):
        await installed.ran_world("a.vcdbs", version)
    assert await installed.world_version("a.vcdbs") == "1.22.0"
    await installed.restored_world("a.vcdbs", "1.21.6")
    assert await installed.world_version("a.vcdbs") == "1.21.6"
    await installed.restored_world("a.vcdbs", None)
    assert await installed.world_version("a.vcdbs") is None


@pytest.mark.parametrize("version", ["..", "v1.21.6", "1.21.6/..", ""])
def test_a_folder_is_only_a_versions(version: str, installed: InstalledVersions) -> None:
    """No text but a version becomes a path."""
    with pytest.raises(InvalidVersionNumber):
        installed.folder(version)
