"""Which program the game is, and what it sees."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from bedplate.settings import Environment
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.process.exceptions import GameNotInstalled
from gameserver.process.launch import Launcher
from gameserver.process.ownership import ProcessLock
from gameserver.process.program import passed_on
from gameserver.settings import GameServerSettings

Make = Callable[..., Launcher]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Give the folders of an empty data directory."""
    layout = Layout(tmp_path)
    layout.create()
    return layout


@pytest.fixture
def installed(layout: Layout) -> InstalledVersions:
    """Give the installed versions: none yet."""
    return InstalledVersions(layout)


@pytest.fixture
def make(layout: Layout, installed: InstalledVersions) -> Make:
    """Give what finds programs with changed settings."""

    def make(**changes: object) -> Launcher:
        settings = GameServerSettings.load(_env_file=None, **changes)
        return Launcher(settings, layout, installed, ProcessLock(layout))

    return make


def install(layout: Layout, *names: str) -> Path:
    """Install version 1.21.6 as these files."""
    folder = layout.servers / "1.21.6"
    folder.mkdir()
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


async def test_the_stand_in_outside_of_production(make: Make, layout: Layout) -> None:
    """With nothing installed the simulated game runs, over the game's own data."""
    program = await make(game_port=5, game_arguments="--a 'b c'").find_program()
    assert program is not None
    assert program.simulated
    assert program.command[1:] == (
        "-m", "gameserver_simulator", "--dataPath", str(layout.server_data), "--port", "5",
        "--a", "b c",
    )  # fmt: skip


async def test_no_stand_in_in_production(make: Make) -> None:
    """In production nothing installed means nothing to run."""
    programs = make(
        environment=Environment.PRODUCTION,
        admin_key=SecretStr("a" * 40),
        monitor_key=SecretStr("b" * 40),
    )
    assert await programs.find_program() is None


@pytest.mark.parametrize("environment", [Environment.DEVELOPMENT, Environment.PRODUCTION])
async def test_a_version_that_is_not_current_is_named(
    make: Make, layout: Layout, environment: Environment
) -> None:
    """Where somebody put a version, a start says how it becomes current, and simulates nothing."""
    install(layout, "VintagestoryServer")
    programs = make(
        environment=environment,
        admin_key=SecretStr("a" * 40),
        monitor_key=SecretStr("b" * 40),
    )
    assert await programs.find_program() is None
    with pytest.raises(GameNotInstalled, match=r"Version 1\.21\.6 .* a switch to it"):
        await programs.check()


async def test_an_installed_version(
    make: Make, layout: Layout, installed: InstalledVersions
) -> None:
    """The current installation's own program is started, in its folder."""
    folder = install(layout, "VintagestoryServer", "VintagestoryServer.dll")
    await installed.select("1.21.6")
    program = await make().find_program()
    assert program is not None
    assert (program.command[0], program.folder) == (str(folder / "VintagestoryServer"), folder)
    assert (program.version, program.simulated) == ("1.21.6", False)


@pytest.mark.parametrize(
    ("name", "runner"), [("VintagestoryServer.dll", "dotnet"), ("VintagestoryServer.exe", "mono")]
)
async def test_without_an_apphost(
    make: Make, layout: Layout, installed: InstalledVersions, name: str, runner: str
) -> None:
    """An installation without a program of its own is run by dotnet, a very old one by mono."""
    folder = install(layout, name)
    await installed.select("1.21.6")
    program = await make().find_program()
    assert program is not None
    assert program.command[0].endswith(runner)
    assert program.command[1] == str(folder / name)


async def test_the_operators_own_command(
    make: Make, layout: Layout, installed: InstalledVersions
) -> None:
    """A command in the settings comes before everything else."""
    install(layout, "VintagestoryServer")
    await installed.select("1.21.6")
    program = await make(game_command="/opt/game --x 'y z'").find_program()
    assert program is not None
    assert program.command[:3] == ("/opt/game", "--x", "y z")


def test_the_game_sees_no_secrets(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is a short list, what the settings add, and where SQLite may write."""
    monkeypatch.setenv("VS_ADMIN_KEY", "k" * 40)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("DOTNET_ROOT", "/opt/net")
    environment = make(game_environment={"MY_MOD": "1"}).environment()
    assert environment["MY_MOD"] == "1"
    assert environment["DOTNET_ROOT"] == "/opt/net"
    assert environment["LC_ALL"] == "C.UTF-8"
    assert environment["SQLITE_TMPDIR"].endswith("serverdata/Cache")
    assert "k" * 40 not in environment.values()
    assert "secret" not in environment.values()


def test_what_is_passed_on() -> None:
    """Only variables that programs need to run are passed on."""
    given = {
        "PATH": "1",
        "LC_ALL": "2",
        "TZ": "3",
        "LD_PRELOAD": "4",
        "VS_X": "5",
        "PYTHONPATH": "6",
    }
    assert passed_on(given) == {"PATH": "1", "LC_ALL": "2", "TZ": "3"}
