"""Which .NET is needed, and which is there."""

import json
from pathlib import Path

import pytest

from gameserver.process.program import (
    find_dotnet,
    installed_runtimes,
    needed_runtime,
    rolls_forward,
)


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """Give the folder of an installation that is a .NET program."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "VintagestoryServer.dll").touch()
    return folder


@pytest.mark.parametrize(
    ("version", "needed"),
    [("1.22.7", 10), ("1.23.0-rc.1", 10), ("1.21.6", 8), ("1.20.12", 7), ("1.19.0", 7),
     ("1.18.7", None), (None, None), ("nonsense", None)],
)  # fmt: skip
def test_the_game_version_says_what_is_needed(
    installation: Path, version: str | None, needed: int | None
) -> None:
    """Each line of game versions has its own major version of .NET; before 1.19 it was mono."""
    assert needed_runtime(installation, version) == needed


def test_the_installation_knows_better(installation: Path) -> None:
    """What its own runtimeconfig.json says comes first, in both of its forms."""
    config = installation / "VintagestoryServer.runtimeconfig.json"
    framework = {"name": "Microsoft.NETCore.App", "version": "9.0.1"}
    config.write_text(json.dumps({"runtimeOptions": {"framework": framework}}))
    assert needed_runtime(installation, "1.21.0") == 9
    config.write_text(json.dumps({"runtimeOptions": {"frameworks": [framework]}}), "utf-8-sig")
    assert needed_runtime(installation, "1.21.0") == 9


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"runtimeOptions":{}}', '{"runtimeOptions":3}']
)
def test_a_strange_runtimeconfig_is_passed_over(installation: Path, content: str) -> None:
    """A file that can't be understood leaves the decision to the version."""
    (installation / "VintagestoryServer.runtimeconfig.json").write_text(content)
    assert needed_runtime(installation, "1.21.0") == 8


def test_other_programs_need_none(tmp_path: Path) -> None:
    """What isn't a .NET program needs no .NET."""
    assert needed_runtime(tmp_path, "1.22.0") is None


def test_installed_runtimes_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every major version below DOTNET_ROOT is found, and the program itself."""
    for version in ("8.0.19", "8.0.2", "10.0.0", "nonsense"):
        (tmp_path / "shared" / "Microsoft.NETCore.App" / version).mkdir(parents=True)
    (tmp_path / "dotnet").touch(mode=0o755)
    monkeypatch.setenv("DOTNET_ROOT", str(tmp_path))
    assert installed_runtimes() == {8: "8.0.2", 10: "10.0.0"}
    assert find_dotnet() == str(tmp_path / "dotnet")
    monkeypatch.setenv("DOTNET_ROOT", str(tmp_path / "nowhere"))
    assert installed_runtimes() == {}
    assert find_dotnet() is None


def test_rolling_forward_is_the_operators_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later major version serves only when the environment says so."""
    assert not rolls_forward()
    monkeypatch.setenv("DOTNET_ROLL_FORWARD", "LatestMajor")
    assert rolls_forward()
