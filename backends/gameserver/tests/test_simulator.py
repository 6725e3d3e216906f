"""The simulator's optional import, with and without the simulator installed."""

import contextlib
import socket
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import httpx2
import pytest

from bedplate.settings import Environment
from bedplate.testing.client import Client
from gameserver.configuration.first_start import first_config
from gameserver.settings import GameServerSettings
from gameserver.simulator import MOD_DATABASE_PORT, open_stand_ins
from gameserver_simulator.game.config_defaults import defaults as simulated_defaults


@pytest.fixture
def without_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the simulator look as if it weren't installed."""
    for module in [name for name in sys.modules if name.startswith("gameserver_simulator")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "gameserver_simulator", None)


async def test_in_development_they_serve() -> None:
    """Without any setting both answer."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.DEVELOPMENT)
    async with open_stand_ins(settings) as served, httpx2.AsyncClient(timeout=60) as web:
        assert (await web.get(f"{served.mod_database}/api/tags")).status_code == 200
        assert (await web.get(f"{served.version_feed}/lateststable.txt")).text == "1.21.6"


async def test_a_setting_leads_to_the_real_one() -> None:
    """What a setting names isn't stood in for."""
    settings = GameServerSettings.load(
        _env_file=None,
        environment=Environment.DEVELOPMENT,
        mod_database_url="https://mods.vintagestory.at",
    )
    async with open_stand_ins(settings) as served:
        assert served.mod_database is None
        assert served.version_feed is not None


async def test_elsewhere_there_are_none() -> None:
    """Tests bring their own, and production has the real ones."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.TEST)
    async with open_stand_ins(settings) as served:
        assert (served.mod_database, served.version_feed) == (None, None)


async def test_a_taken_port_is_no_hindrance() -> None:
    """Where another program listens, a free port is used."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.DEVELOPMENT)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # or another test's manager listens there already
            stack.enter_context(socket.create_server(("127.0.0.1", MOD_DATABASE_PORT)))
        async with open_stand_ins(settings) as served:
            assert served.mod_database is not None
            assert not served.mod_database.endswith(f":{MOD_DATABASE_PORT}")


def test_nothing_imports_it_before_it_is_needed() -> None:
    """The backend and its commands can be imported without the simulator."""
    code = (
        "import sys; sys.modules['gameserver_simulator'] = None; "
        "import gameserver.backend, gameserver.commands"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("without_simulator")
async def test_without_it_there_are_no_stand_ins() -> None:
    """Development without the simulator uses the URLs of the settings."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.DEVELOPMENT)
    async with open_stand_ins(settings) as served:
        assert (served.mod_database, served.version_feed) == (None, None)


@pytest.mark.usefixtures("without_simulator")
async def test_without_it_nothing_is_installed(api: Client) -> None:
    """The manager starts; its state and a refused start say which command installs the game."""
    status = (await api.get("/server")).json()
    assert status["state"] == "not_installed"
    assert "pip install 'gameserver[simulator]'" in status["reason"]
    refused = await api.post("/server/start")
    assert refused.status_code == 409
    assert refused.json()["code"] == "game_not_installed"
    assert refused.json()["detail"] == status["reason"]


@pytest.mark.parametrize("command", ["simulate", "stand-ins"])
def test_commands_without_it(command: str) -> None:
    """The commands that need it say what to install."""
    code = (
        "import sys; sys.modules['gameserver_simulator'] = None; "
        "from gameserver.commands import app; app()"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, command], capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert process.stderr == "Install the simulator first: pip install 'gameserver[simulator]'\n"


@pytest.mark.parametrize("version", ["1.20.12", "1.21.6", "1.22.0"])
def test_the_managers_defaults_are_those_of_the_simulated_game(version: str) -> None:
    """The two copies of the game's default settings don't drift apart."""
    data = Path("/srv/data")
    assert first_config(data, version, {}) == simulated_defaults(data, version)


def test_production_does_not_install_it() -> None:
    """Only the extra requires the simulator, and the image doesn't ask for that extra."""
    requirements = [line for line in requires("gameserver") or [] if "simulator" in line]
    assert requirements == ["gameserver-simulator; extra == 'simulator'"]
    root = Path(__file__).parents[3]
    assert "simulator" not in (root / "deploy" / "gameserver" / "Dockerfile").read_text()
