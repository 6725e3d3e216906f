"""What is checked before a start."""

import json
import socket
from pathlib import Path

import pytest

from bedplate.testing.processes import free_port
from gameserver.layout import Layout
from gameserver.process.exceptions import StartRefused
from gameserver.process.launch import check_start, configured_address
from gameserver.process.program import Program
from gameserver.settings import GameServerSettings


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Give the folders of an empty data directory."""
    layout = Layout(tmp_path)
    layout.create()
    return layout


@pytest.fixture
def program(layout: Layout) -> Program:
    """Give an installation that is ready to start."""
    folder = layout.servers / "1.21.6"
    (folder / "assets").mkdir(parents=True)
    (folder / "assets" / "version-1.21.6.txt").touch()
    (folder / "VintagestoryServer").touch(mode=0o755)
    return Program(("x",), folder, "1.21.6")


def settings(min_free: int = 0, port: int | None = None) -> GameServerSettings:
    """Return settings with a port of their own."""
    values = {"min_free_megabytes": min_free, "game_port": port or free_port()}
    return GameServerSettings.load(_env_file=None, **values)


def refusal(program: Program, layout: Layout, min_free: int = 0, port: int | None = None) -> str:
    """Return the sentence that a start is refused with."""
    with pytest.raises(StartRefused) as refused:
        check_start(program, layout, settings(min_free, port))
    return str(refused.value)


def test_a_good_installation_passes(program: Program, layout: Layout) -> None:
    """Nothing speaks against a whole installation with space and a free port."""
    check_start(program, layout, settings(min_free=1))
    check_start(Program(("own",)), layout, settings(min_free=1))


def test_assets_of_two_versions(program: Program, layout: Layout) -> None:
    """Files that an upgrade in place left behind are named before the game trips over them."""
    assert program.folder is not None
    (program.folder / "assets" / "version-1.20.0.txt").touch()
    sentence = refusal(program, layout)
    assert "version-1.20.0.txt, version-1.21.6.txt" in sentence
    assert "install it again" in sentence


def test_a_missing_runtime(
    program: Program, layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The version of .NET that is missing is named, with those that are there."""
    assert program.folder is not None
    (program.folder / "VintagestoryServer.dll").touch()
    (tmp_path / "net" / "shared" / "Microsoft.NETCore.App" / "10.0.1").mkdir(parents=True)
    monkeypatch.setenv("DOTNET_ROOT", str(tmp_path / "net"))
    assert refusal(program, layout) == (
        "Version 1.21.6 of the game needs .NET 8; installed: 10.0.1. "
        "Install the .NET 8 runtime, or set DOTNET_ROOT to where it is."
    )
    monkeypatch.setenv("DOTNET_ROLL_FORWARD", "Major")
    check_start(program, layout, settings())
    (tmp_path / "net" / "shared" / "Microsoft.NETCore.App" / "8.0.0").mkdir()
    monkeypatch.delenv("DOTNET_ROLL_FORWARD")
    check_start(program, layout, settings())


def test_an_installation_without_its_program(program: Program, layout: Layout) -> None:
    """A folder without the game's program is no installation."""
    assert program.folder is not None
    (program.folder / "VintagestoryServer").unlink()
    assert "has no VintagestoryServer" in refusal(program, layout)


def test_too_little_disk_space(program: Program, layout: Layout) -> None:
    """A disk that is nearly full keeps the game from starting and damaging its world."""
    assert "MB of disk space are free" in refusal(program, layout, min_free=10**9)


@pytest.mark.parametrize(
    ("kind", "name"), [(socket.SOCK_STREAM, "TCP"), (socket.SOCK_DGRAM, "UDP")]
)
def test_a_port_that_is_taken(
    program: Program, layout: Layout, kind: socket.SocketKind, name: str
) -> None:
    """Both ports have to be free, and the refusal says which isn't."""
    with socket.socket(socket.AF_INET, kind) as other:
        # Below the range of client ports: a connection of any program could hold its TCP side.
        port = free_port()
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        assert refusal(program, layout, port=port).startswith(f"{name} port {port} is taken")


def test_the_port_of_the_games_own_settings(program: Program, layout: Layout) -> None:
    """Without a port of the manager's, the one that the game will take is checked."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        layout.server_config.write_text(json.dumps({"Port": port, "Ip": "127.0.0.1"}))
        with pytest.raises(StartRefused, match=str(port)):
            check_start(
                program, layout, GameServerSettings.load(_env_file=None, min_free_megabytes=0)
            )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'\xef\xbb\xbf{"Ip": "::1", "Port": 5}', ("::1", 5)),
        (b'{"Ip": null, "Port": 0}', ("", 42420)),
        (b'{"Port": "x"}', ("", 42420)),
        (b'{"Port": 1e99}', ("", 42420)),
        (b"[1]", ("", 42420)),
        (b"{", ("", 42420)),
        (b"\xff", ("", 42420)),
        (b"[" * 100_000, ("", 42420)),
    ],
)
def test_strange_settings_of_the_game(
    tmp_path: Path, content: bytes, found: tuple[str, int]
) -> None:
    """What can't be read is left to the game; its default port is checked."""
    path = tmp_path / "serverconfig.json"
    assert configured_address(path) == ("", 42420)
    path.write_bytes(content)
    assert configured_address(path) == found
