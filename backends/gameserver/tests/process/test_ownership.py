"""One manager, one game: with real managers that are killed, doubled and stopped."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from fastapi import FastAPI

from bedplate.runtime import StartupError
from bedplate.testing.lifespan import running
from bedplate.testing.processes import ProcessError, ServerProcess, free_port, wait_until_gone
from gameserver.layout import Layout
from gameserver.process.exceptions import GameAlreadyRunning, GameNotStopped
from gameserver.process.game import Game
from gameserver.process.ownership import ProcessLock, process_document
from gameserver.settings import GameServerSettings
from gameserver.status import GameState

BEDPLATE = shutil.which("bedplate", path=str(Path(sys.executable).parent)) or "bedplate"
ADMIN = {"X-API-Key": "a" * 40}
SIMULATE = {"SIMULATE_BOOT_SECONDS": "0", "SIMULATE_STOP_SECONDS": "0.2"}

MakeApp = Callable[..., FastAPI]
Manage = Callable[..., "Manager"]


class Manager:
    """A real process of the manager."""

    def __init__(self, folder: Path, game_port: int, **variables: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        self.folder = folder
        self.process = ServerProcess(
            [BEDPLATE, "run", "gameserver", "--port", port, "--operations-port", "0"],
            url=f"{self.url}/healthz",
            env={
                "VS_DATA_DIRECTORY": str(folder / "data"),
                "VS_ADMIN_KEY": "a" * 40,
                "VS_GAME_PORT": str(game_port),
                "VS_GAME_ENVIRONMENT": json.dumps(SIMULATE),
                **variables,
            },
            cwd=folder,
        )

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """Call the API, which has to agree."""
        response = httpx2.request(method, f"{self.url}{path}", headers=ADMIN, timeout=30)
        assert response.is_success, response.text
        body: dict[str, Any] = response.json()
        return body

    def start_game(self) -> int:
        """Start the game, and return the id of its process once it runs."""
        status = self.ask("POST", "/server/start?wait=20")
        assert status["state"] == "running", status
        return int(status["pid"])

    def wait_for(self, state: str) -> dict[str, Any]:
        """Return the status as soon as the game is in this state."""
        deadline = time.monotonic() + 20
        while (status := self.ask("GET", "/server"))["state"] != state:
            assert time.monotonic() < deadline, status
            time.sleep(0.02)
        return status

    @property
    def world(self) -> Path:
        """The world of the game."""
        return self.folder / "data" / "serverdata" / "Saves" / "default.vcdbs"


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Manage]:
    """Give what describes managers of the same data directory and game, and ends them."""
    managers: list[Manager] = []
    game_port = free_port()

    def manage(**variables: str) -> Manager:
        managers.append(Manager(tmp_path, game_port, **variables))
        return managers[-1]

    yield manage
    for manager in managers:
        manager.process.stop()


def is_whole(world: Path) -> bool:
    """Return whether the world's database is without damage and has no leftovers beside it."""
    with closing(sqlite3.connect(world)) as database:
        found = database.execute("PRAGMA integrity_check").fetchall()
    return found == [("ok",)]


def games_of(folder: Path) -> list[int]:
    """Return the ids of all simulated games over this folder, whoever started them."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and str(folder / "data" / "serverdata") in (process.info["cmdline"] or ())
    ]


def test_sigterm_saves_the_world(manage: Manage) -> None:
    """SIGTERM to the manager stops the game in order, and both are gone with exit code 0."""
    manager = manage()
    manager.process.start()
    game = manager.start_game()
    manager.process.terminate()
    assert manager.process.wait() == 0
    wait_until_gone([game])
    assert is_whole(manager.world)
    assert not manager.world.with_name("default.vcdbs-wal").exists()


@pytest.mark.soak
def test_a_manager_that_comes_back_starts_the_game_again(manage: Manage) -> None:
    """What ran when the manager went runs when it is back; what was stopped stays stopped."""
    first, second, third = manage(), manage(), manage()
    with first.process:
        first.start_game()
    with second.process:
        second.wait_for("running")
        second.ask("POST", "/server/stop?wait=20")
    with third.process:
        assert third.ask("GET", "/server")["state"] == "stopped"


@pytest.mark.soak
@pytest.mark.parametrize(("autostart", "state"), [("never", "stopped"), ("always", "running")])
def test_autostart_is_a_setting(manage: Manage, autostart: str, state: str) -> None:
    """The operator may have the game started always or never."""
    manager = manage(VS_AUTOSTART=autostart)
    with manager.process:
        manager.wait_for(state)


@pytest.mark.soak
def test_a_second_manager_is_refused(manage: Manage) -> None:
    """Two managers never own one data directory: the second says who does, and exits with 3."""
    first, second = manage(), manage()
    with first.process:
        with pytest.raises(ProcessError, match=f"process {first.process.pid}"):
            second.process.start()
        assert second.process.wait() == 3
        assert first.ask("GET", "/server")["state"] == "stopped"


def kill_manager_only(manager: Manager) -> None:
    """Kill the manager as the system does, and leave what it has started."""
    os.kill(manager.process.pid, signal.SIGKILL)
    wait_until_gone([manager.process.pid])


def test_the_game_of_a_killed_manager(manage: Manage) -> None:
    """The next manager stops the game that was left behind, saves its world, and starts anew."""
    first, second = manage(), manage()
    first.process.start()
    orphan = first.start_game()
    kill_manager_only(first)
    assert games_of(first.folder) == [orphan]
    with second.process:
        status = second.wait_for("running")
        assert status["pid"] != orphan
        assert games_of(first.folder) == [status["pid"]]
    assert is_whole(second.world)


@pytest.mark.soak
def test_an_orphan_of_which_nothing_is_written(manage: Manage) -> None:
    """The kernel's lock reveals a left game, even when all that the manager wrote is lost."""
    first, second = manage(), manage(VS_AUTOSTART="always")
    first.process.start()
    orphan = first.start_game()
    kill_manager_only(first)
    shutil.rmtree(first.folder / "data" / "manager" / "state")
    with second.process:
        second.wait_for("running")
        assert orphan not in games_of(first.folder)
        assert len(games_of(first.folder)) == 1


LeaveGame = Callable[..., subprocess.Popen[bytes]]
OpenGame = Callable[..., Awaitable[Game]]


@pytest.fixture
def leave_game(make_settings: Callable[..., GameServerSettings]) -> Iterator[LeaveGame]:
    """Give what starts a game as a manager does, and leaves it as one that was killed does."""
    left: list[subprocess.Popen[bytes]] = []

    def leave_game(**simulate: object) -> subprocess.Popen[bytes]:
        settings = make_settings(simulate=simulate)
        layout = Layout(settings.data_directory)
        layout.create()
        descriptor = ProcessLock(layout).acquire()
        assert descriptor is not None
        given = settings.game_environment
        game = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gameserver_simulator",
                "--dataPath",
                layout.server_data,
                "--port",
                str(settings.game_port),
            ],
            env={**os.environ, **{key: value.get_secret_value() for key, value in given.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pass_fds=[descriptor],
            start_new_session=True,
        )
        os.close(descriptor)
        left.append(game)
        assert game.stdout is not None
        while b"now running on Port" not in game.stdout.readline():
            assert game.poll() is None
        game.stdout.close()
        return game

    yield leave_game
    for game in left:
        game.kill()
        game.wait()
        if game.stdout is not None:
            game.stdout.close()


async def test_a_left_game_is_stopped(leave_game: LeaveGame, open_game: OpenGame) -> None:
    """A new manager stops the game that it finds, saves its world, and starts its own."""
    left = leave_game()
    game = await open_game(autostart="always")
    status = await game.wait_for(GameState.RUNNING, timeout=20)
    assert left.wait(0) == 0
    assert status.pid != left.pid


async def test_nothing_touches_the_world_of_a_left_game(
    leave_game: LeaveGame, open_game: OpenGame
) -> None:
    """While the left game saves, nothing starts and nothing has the world to itself."""
    leave_game(stop_seconds=2)
    game = await open_game(autostart="never")
    with pytest.raises(GameAlreadyRunning):
        await game.start(by="test")
    with pytest.raises(GameNotStopped):
        async with game.exclusive("a restore"):
            pass
    await game.stop(by="test", reason="Test.")
    assert game.status.state is GameState.STOPPED
    assert game.status.reason is not None
    assert "the world is saved" in game.status.reason


async def test_a_left_game_that_ignores_sigterm(leave_game: LeaveGame, open_game: OpenGame) -> None:
    """A left game that doesn't end in time is killed, and never doubled."""
    left = leave_game(ignore_sigterm=1)
    game = await open_game(autostart="never", stop_seconds=0.2)
    status = await game.wait_for(GameState.STOPPED, timeout=20)
    assert status.reason == "The game that an earlier manager left running had to be killed."
    assert left.wait(0) == -signal.SIGKILL


async def test_a_left_game_is_killed_on_demand(leave_game: LeaveGame, open_game: OpenGame) -> None:
    """Kill works on a left game too, while its stop would take an hour."""
    left = leave_game(ignore_sigterm=1)
    game = await open_game(autostart="never", stop_seconds=3600)
    await asyncio.wait_for(game.kill(by="test"), 20)
    assert game.status.state is GameState.STOPPED
    assert left.wait(0) == -signal.SIGKILL


async def test_a_data_directory_has_one_owner(open_game: OpenGame) -> None:
    """A second manager is refused, and says which process owns the data directory."""
    await open_game()
    with pytest.raises(StartupError, match=f"process {os.getpid()}"):
        await open_game()


@pytest.mark.soak
def test_managers_killed_at_random_moments(manage: Manage) -> None:
    """However often a manager is killed in the midst of it: one game, a whole world and state."""
    for delay in (0.0, 0.05, 0.1, 0.2, 0.35, 0.5):
        manager = manage(VS_AUTOSTART="always")
        manager.process.start()
        time.sleep(delay)
        kill_manager_only(manager)
        assert len(games_of(manager.folder)) <= 1
    last = manage(VS_AUTOSTART="always")
    with last.process:
        status = last.wait_for("running")
        assert games_of(last.folder) == [status["pid"]]
    assert games_of(last.folder) == []
    assert is_whole(last.world)


@pytest.mark.soak
def test_the_game_listens_to_sigint(manage: Manage) -> None:
    """The game doesn't inherit an ignored SIGINT, nor the manager's pipes, sockets and locks."""
    manager = manage()
    with manager.process:
        game = manager.start_game()
        (line,) = (
            line
            for line in Path(f"/proc/{game}/status").read_text().splitlines()
            if line.startswith("SigIgn")
        )
        assert not int(line.split()[1], 16) & 1 << (signal.SIGINT - 1)
        held = {str(path.readlink()) for path in Path(f"/proc/{game}/fd").iterdir()}
        assert any(path.endswith("game.lock") for path in held)
        assert not any(path.endswith("manager.lock") for path in held)


@pytest.mark.soak
def test_a_second_signal_leaves_a_game_that_saves(manage: Manage) -> None:
    """When the manager is forced to go, the game has its `/stop`, and saves by itself."""
    slow = json.dumps({**SIMULATE, "SIMULATE_STOP_SECONDS": "1"})
    manager = manage(VS_GAME_ENVIRONMENT=slow)
    manager.process.start()
    game = manager.start_game()
    manager.process.terminate()
    time.sleep(0.3)  # long enough for `/stop`, too short for the save
    manager.process.terminate()
    assert manager.process.wait() == 1
    wait_until_gone([game])
    assert is_whole(manager.world)


@pytest.mark.parametrize("for_good", [True, False])
async def test_a_stop_for_a_change_is_not_for_good(
    make_app: MakeApp, settings: GameServerSettings, *, for_good: bool
) -> None:
    """A manager that goes away between the two halves of a restart starts the game again."""
    async with running(make_app(autostart="last")) as first:
        await first["game"].start(by="test")
        await first["game"].stop(by="test", reason="A change.", for_good=for_good)
    record = await process_document(Layout(settings.data_directory.absolute())).read()
    assert record.wanted is not for_good
    async with running(make_app(autostart="last")) as second:
        if not for_good:
            await second["game"].wait_for(GameState.RUNNING, timeout=20)
