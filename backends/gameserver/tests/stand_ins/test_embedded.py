"""The stand-ins that a manager in development brings along."""

import contextlib
import socket

import httpx2

from bedplate.settings import Environment
from gameserver.settings import GameServerSettings
from gameserver.stand_ins.embedded import MOD_DATABASE_PORT, open_stand_ins


async def test_in_development_they_serve() -> None:
    """Without any setting both answer."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.DEVELOPMENT)
    async with open_stand_ins(settings, {}) as served, httpx2.AsyncClient(timeout=60) as web:
        assert (await web.get(f"{served.mod_database}/api/tags")).status_code == 200
        assert (await web.get(f"{served.version_feed}/lateststable.txt")).text == "1.21.6"


async def test_a_setting_leads_to_the_real_one() -> None:
    """What a setting names isn't stood in for."""
    settings = GameServerSettings.load(
        _env_file=None,
        environment=Environment.DEVELOPMENT,
        mod_database_url="https://mods.vintagestory.at",
    )
    async with open_stand_ins(settings, {}) as served:
        assert served.mod_database is None
        assert served.version_feed is not None


async def test_elsewhere_there_are_none() -> None:
    """Tests bring their own, and production has the real ones."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.TEST)
    async with open_stand_ins(settings, {}) as served:
        assert (served.mod_database, served.version_feed) == (None, None)


async def test_a_taken_port_is_no_hindrance() -> None:
    """Where another program listens, a free port is used."""
    settings = GameServerSettings.load(_env_file=None, environment=Environment.DEVELOPMENT)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # or another test's manager listens there already
            stack.enter_context(socket.create_server(("127.0.0.1", MOD_DATABASE_PORT)))
        async with open_stand_ins(settings, {}) as served:
            assert served.mod_database is not None
            assert not served.mod_database.endswith(f":{MOD_DATABASE_PORT}")
