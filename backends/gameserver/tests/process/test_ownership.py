"""One manager, one game: with real managers that are killed, doubled and told to leave."""

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from bedplate.testing.processes import (
    ProcessError,
    ServerProcess,
    children,
    free_port,
    wait_until_gone,
)

BEDPLATE = shutil.which("bedplate", path=str(Path(sys.executable).parent)) or "bedplate"
ADMIN = {"X-API-Key": "a" * 40}
SIMULATE = {"SIMULATE_BOOT_SECONDS": "0", "SIMULATE_STOP_SECONDS": "0.2"}

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
        return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


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


@pytest.mark.parametrize(("autostart", "state"), [("never", "stopped"), ("always", "running")])
def test_autostart_is_a_setting(manage: Manage, autostart: str, state: str) -> None:
    """The operator may have the game started always or never."""
    manager = manage(VS_AUTOSTART=autostart)
    with manager.process:
        manager.wait_for(state)


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


def test_an_orphan_of_which_nothing_is_written(manage: Manage) -> None:
    """The kernel's lock tells of a left game, even when all that the manager wrote is lost."""
    first, second = manage(), manage(VS_AUTOSTART="always")
    first.process.start()
    orphan = first.start_game()
    kill_manager_only(first)
    shutil.rmtree(first.folder / "data" / "manager" / "state")
    with second.process:
        second.wait_for("running")
        assert orphan not in games_of(first.folder)
        assert len(games_of(first.folder)) == 1


def test_an_orphan_that_ignores_sigterm(manage: Manage) -> None:
    """A left game that doesn't end in time is killed, and never doubled."""
    deaf = json.dumps({**SIMULATE, "SIMULATE_IGNORE_SIGTERM": "1"})
    first = manage(VS_GAME_ENVIRONMENT=deaf)
    second = manage(VS_STOP_SECONDS="0.3", VS_AUTOSTART="never")
    first.process.start()
    orphan = first.start_game()
    kill_manager_only(first)
    with second.process:
        status = second.wait_for("stopped")
        assert "had to be killed" in status["reason"]
        assert games_of(first.folder) == []
    wait_until_gone([orphan])


def test_an_orphan_is_killed_on_demand(manage: Manage) -> None:
    """Kill works on a left game too, while its stop would take an hour."""
    deaf = json.dumps({**SIMULATE, "SIMULATE_IGNORE_SIGTERM": "1"})
    first = manage(VS_GAME_ENVIRONMENT=deaf)
    second = manage(VS_STOP_SECONDS="3600")
    first.process.start()
    first.start_game()
    kill_manager_only(first)
    with second.process:
        assert second.ask("GET", "/server")["state"] == "stopping"
        assert second.ask("POST", "/server/kill")["state"] == "stopped"
        assert games_of(first.folder) == []


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
        assert children(manager.process.pid) == [game]
        held = {os.readlink(path) for path in Path(f"/proc/{game}/fd").iterdir()}
        assert any(path.endswith("game.lock") for path in held)
        assert not any(path.endswith("manager.lock") for path in held)


def test_a_second_signal_leaves_a_game_that_saves(manage: Manage) -> None:
    """When the manager is forced to go, the game has been told to stop, and saves by itself."""
    slow = json.dumps({**SIMULATE, "SIMULATE_STOP_SECONDS": "1"})
    manager = manage(VS_GAME_ENVIRONMENT=slow)
    manager.process.start()
    game = manager.start_game()
    manager.process.terminate()
    manager_gone = time.monotonic() + 10
    while psutil.Process(game).status() == psutil.STATUS_ZOMBIE or manager.process.running:
        manager.process.terminate()
        time.sleep(0.1)
        assert time.monotonic() < manager_gone
    wait_until_gone([game])
    assert is_whole(manager.world)
