"""The mods that the game loads, and those that it complains about."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gameserver_simulator.game.modinfo import parse
from gameserver_simulator.game.mods import order

Launch = Callable[..., Any]


def put(data: Path, identifier: str, info: str | None = None, **members: object) -> None:
    """Place a mod among the game's."""
    folder = data / "Mods"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"type": "content", "name": identifier, "modid": identifier, "version": "1.0.0"}
    with zipfile.ZipFile(folder / f"{identifier}.zip", "w") as archive:
        archive.writestr("modinfo.json", info or json.dumps(document | members))


def test_mods_are_sorted_by_dependency(launch: Launch, data: Path) -> None:
    """A library comes before the mod that needs it; the table names versions and files."""
    put(data, "alpha", dependencies={"zlib": "1.0.0", "game": "1.20.0"})
    put(data, "zlib", version="1.2.3")
    game = launch()
    game.expect("Found 5 mods (0 disabled)")
    line = game.expect("Mods, sorted by dependency:")
    assert line.endswith("game, creative, survival, zlib, alpha")
    game.expect("Loaded mods (5):")
    assert game.expect("zlib").split() == ["zlib", "1.2.3", "zlib", "zlib.zip"]


def test_a_missing_dependency_is_named_and_the_mod_left_out(launch: Launch, data: Path) -> None:
    """The two lines are those of the reference; what needs the mod is left out too."""
    put(data, "wildcraftfruit", dependencies={"herbarium": "1.0.0"})
    put(data, "needsfruit", dependencies={"wildcraftfruit": ""})
    game = launch()
    game.expect("[Server Error] [wildcraftfruit] Could not resolve some dependencies:")
    game.expect("[Server Error] [wildcraftfruit]     herbarium@1.0.0 - Missing")
    game.expect("[Server Error] [needsfruit] Could not resolve")
    game.expect("[needsfruit]     wildcraftfruit@* - Dependency wildcraftfruit failed loading")
    assert game.expect("sorted by dependency").endswith("game, creative, survival")
    game.ready()


def test_a_dependency_that_is_too_old_is_unmet(launch: Launch, data: Path) -> None:
    """A pre-release is older than its release."""
    put(data, "lib", version="2.0.0-rc.1")
    put(data, "needs", dependencies={"lib": "2.0.0"})
    launch().expect("[needs]     lib@2.0.0 - Version mismatch (has 2.0.0-rc.1)")


@pytest.mark.parametrize(
    ("startup", "doing"), [("assembly", "load assembly"), ("start", "start the mod")]
)
def test_a_mod_fails_alone(launch: Launch, data: Path, startup: str, doing: str) -> None:
    """An exception in a mod is an error with a stack trace; the game becomes ready without it."""
    put(data, "broken")
    with zipfile.ZipFile(data / "Mods" / "broken.zip", "a") as archive:
        archive.writestr("simulated-game.json", json.dumps({"startup": startup}))
    game = launch()
    game.expect(f"[Server Error] [broken] An exception was thrown when trying to {doing}:")
    game.ready()


def test_of_two_files_of_a_mod_the_newest_is_loaded(launch: Launch, data: Path) -> None:
    """The game names them in a warning."""
    put(data, "a", json.dumps({"name": "x", "modid": "x", "version": "1.0.0"}))
    put(data, "b", json.dumps({"name": "x", "modid": "x", "version": "2.0.0"}))
    game = launch()
    game.expect("[Server Warning] Multiple mods share the mod ID 'x' (a.zip, b.zip).")
    game.ready()


def test_disabled_and_client_mods_are_left_out(launch: Launch, data: Path) -> None:
    """WorldConfig.DisabledMods, the black list, and the client's side count as disabled."""
    for name in ("one", "two"):
        put(data, name)
    put(data, "three", side="Client")
    config = {"WorldConfig": {"DisabledMods": ["one@1.0.0"]}, "ModIdBlackList": ["two"]}
    (data / "serverconfig.json").write_text(json.dumps(config))
    launch().expect("Found 6 mods (3 disabled)")


def test_what_is_no_mod_is_an_error_and_no_more(launch: Launch, data: Path) -> None:
    """A file that is no archive is named, and the game starts."""
    (data / "Mods").mkdir(parents=True)
    (data / "Mods" / "junk.zip").write_bytes(b"junk")
    game = launch()
    game.expect(
        "[Server Error] [junk.zip] An exception was thrown when trying to to load the ModInfo:"
    )
    game.ready()


@pytest.mark.parametrize(("startup", "code"), [("crash", 134), ("hang", None)])
def test_a_broken_mod_keeps_the_game_from_starting(
    launch: Launch, data: Path, startup: str, code: int | None
) -> None:
    """A mod with the trigger file hangs or crashes the start."""
    put(data, "broken")
    with zipfile.ZipFile(data / "Mods" / "broken.zip", "a") as archive:
        archive.writestr("simulated-game.json", json.dumps({"startup": startup}))
    game = launch()
    game.expect("36 knapping recipes loaded")
    if code is None:
        game.process.terminate()
        game.wait()
    else:
        assert game.wait() == code
    assert not any("now running" in line for line in game.lines)


def test_a_named_mod_hangs_the_start(launch: Launch, data: Path) -> None:
    """--hang-with-mod needs no special mod."""
    put(data, "innocent")
    game = launch(hang_with_mod="innocent")
    game.expect("36 knapping recipes loaded")
    game.process.terminate()
    game.wait()
    assert not any("now running" in line for line in game.lines)


def test_modinfo_is_read_leniently() -> None:
    """Comments, single quotes, bare keys and trailing commas are understood, texts left alone."""
    text = """{ // c
      'Name': 'It\\'s // no, comment,]', /* x */ modid: "a", "List": [1, 2,], }"""
    assert parse(text) == {"Name": "It's // no, comment,]", "modid": "a", "List": [1, 2]}
    with pytest.raises(ValueError, match="is not an object"):
        parse("[]")


def test_versions_have_an_order() -> None:
    """Stages come before the release: dev, pre, rc."""
    versions = ["1.2.0", "1.2.0-dev.1", "1.2.0-rc.2", "1.2.0-pre.3", "1.10.0", "1.2.0-rc.10"]
    assert sorted(versions, key=order) == [
        "1.2.0-dev.1",
        "1.2.0-pre.3",
        "1.2.0-rc.2",
        "1.2.0-rc.10",
        "1.2.0",
        "1.10.0",
    ]
