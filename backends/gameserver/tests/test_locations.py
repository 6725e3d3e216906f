"""Where the world and the mods are: what the settings say, and what a start makes of it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gameserver.layout import Layout
from gameserver.locations import (
    WorldElsewhere,
    fit_settings,
    is_world_name,
    require_fitting_world,
    world_file,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Give the folders of an empty data directory."""
    layout = Layout(tmp_path / "data")
    layout.create()
    return layout


def configure(layout: Layout, location: object, *mods: object) -> None:
    """Write settings with these paths."""
    config = {"WorldConfig": {"SaveFileLocation": location}, "ModPaths": ["Mods", *mods]}
    layout.server_config.write_text(json.dumps(config, ensure_ascii=False))


def settings_of(layout: Layout) -> Any:
    """Return the settings as they are."""
    return json.loads(layout.server_config.read_text())


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/old/place/Saves/mine.vcdbs", "mine.vcdbs"),
        ("C:\\Games\\Saves\\mine.vcdbs", "mine.vcdbs"),
        ("../../etc/passwd", "default.vcdbs"),
        ("/x/.vcdbs", "default.vcdbs"),
        ("/x/..vcdbs", "default.vcdbs"),
        (None, "default.vcdbs"),
        (7, "default.vcdbs"),
    ],
)
def test_the_settings_name_the_world_and_nothing_outside(
    location: object, name: str, layout: Layout
) -> None:
    """Of the path in the settings only a world's plain name is taken."""
    configure(layout, location)
    assert world_file(layout) == layout.saves / name


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"WorldConfig": 1}', "[" * 100_000])
def test_settings_that_make_no_sense_mean_the_default_world(text: str, layout: Layout) -> None:
    """Whatever is in the settings' place, there is an answer."""
    layout.server_config.write_text(text)
    assert world_file(layout).name == "default.vcdbs"


@pytest.mark.parametrize("name", ["a/b.vcdbs", ".vcdbs", "a.db", "a\n.vcdbs", "x" * 300 + ".vcdbs"])
def test_what_is_no_worlds_name(name: str) -> None:
    """A world's name is one plain file name."""
    assert not is_world_name(name)


@pytest.mark.parametrize(
    ("location", "mods"),
    [
        ("/data/vintage/Saves/mine.vcdbs", "/data/vintage/Mods"),
        (
            "C:\\Users\\Zoë\\VS\\Saves\\mine.vcdbs",
            "C:\\Users\\Zoë\\VS\\Mods",
        ),
        ("Saves/mine.vcdbs", "/home/container/data/mods/"),
    ],
)
@pytest.mark.parametrize("comment", [False, True])
def test_settings_of_another_place_are_made_to_fit(
    layout: Layout, location: str, mods: str, comment: bool
) -> None:
    """World and mods are those of this data directory; other folders of mods stay."""
    configure(layout, location, "/srv/shared", mods)
    if comment:
        text = layout.server_config.read_text()
        layout.server_config.write_text(f"// moved here\n{text}")
    with pytest.raises(WorldElsewhere, match="Start the game once"):
        require_fitting_world(layout)
    fit_settings(layout)
    require_fitting_world(layout)
    text = layout.server_config.read_text()
    settings = json.loads(text.removeprefix("// moved here\n"))
    assert settings["WorldConfig"]["SaveFileLocation"] == str(layout.saves / "mine.vcdbs")
    assert settings["ModPaths"] == ["Mods", "/srv/shared", str(layout.mods)]
    assert text.startswith("//") is comment


@pytest.mark.parametrize("through", ["data", "link"])
def test_settings_that_fit_stay_as_they_are(layout: Layout, tmp_path: Path, through: str) -> None:
    """Nothing is written when the paths lead here, also by a symbolic link."""
    (tmp_path / "link").symlink_to("data")
    own = tmp_path / through / "serverdata"
    configure(layout, str(own / "Saves" / "mine.vcdbs"), str(own / "Mods"), "/old/Mods")
    before = layout.server_config.stat()
    fit_settings(layout)
    require_fitting_world(layout)
    assert layout.server_config.stat().st_ino == before.st_ino


def test_a_data_directory_without_mods_of_its_own_gets_its_folder(layout: Layout) -> None:
    """When no folder of mods is a data directory's, this one's is added."""
    configure(layout, None, "/srv/shared")
    fit_settings(layout)
    assert settings_of(layout)["ModPaths"] == ["Mods", "/srv/shared", str(layout.mods)]


@pytest.mark.parametrize("log", ["", "-wal"])
def test_a_world_that_was_played_elsewhere_is_never_left_behind(
    layout: Layout, tmp_path: Path, log: str
) -> None:
    """One that exists at the old place alone, or was played there last, has to be moved first."""
    old, here = tmp_path / "old.vcdbs", layout.saves / "old.vcdbs"
    old.touch()
    configure(layout, str(old))
    before = layout.server_config.read_bytes()
    with pytest.raises(WorldElsewhere, match="not in serverdata/Saves"):
        fit_settings(layout)
    here.touch()
    played = tmp_path / f"old.vcdbs{log}"
    played.touch()
    os.utime(played, ns=(1, here.stat().st_mtime_ns + 1))
    with pytest.raises(WorldElsewhere, match="played after"):
        fit_settings(layout)
    assert layout.server_config.read_bytes() == before
    os.utime(played, (1, 1))
    os.utime(old, (1, 1))
    fit_settings(layout)
    require_fitting_world(layout)


def test_settings_that_cannot_be_changed_safely_are_refused(layout: Layout) -> None:
    """The sentence says what to write, and the file stays."""
    text = '{"WorldConfig": {"SaveFileLocation": \'/old/Saves/a.vcdbs\'}, "ModPaths": []}'
    layout.server_config.write_text(text)
    with pytest.raises(WorldElsewhere, match='set "SaveFileLocation" to "/'):
        fit_settings(layout)
    assert layout.server_config.read_text() == text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"WorldConfig": 1, "ModPaths": "x"}'])
def test_settings_that_make_no_sense_are_left_to_the_game(layout: Layout, text: str) -> None:
    """The game itself says what is wrong with them."""
    layout.server_config.write_text(text)
    fit_settings(layout)
    assert layout.server_config.read_text() == text
