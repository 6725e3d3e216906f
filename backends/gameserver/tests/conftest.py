"""What the tests of the game-server manager stand on: the simulated game, the API, its keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bedplate.application import create_app
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.lifespan import running
from bedplate.testing.processes import free_port
from gameserver.backend import backend
from gameserver.console.service import Console
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.status import GameState
from gameserver_simulator.stand_ins.embedded import StandInURLs, stand_ins

ADMIN_KEY = "a" * 40
MONITOR_KEY = "b" * 40
QUICK = {"SIMULATE_BOOT_SECONDS": "0", "SIMULATE_STOP_SECONDS": "0", "SIMULATE_SAVE_SECONDS": "0"}

MakeSettings = Callable[..., GameServerSettings]
MakeApp = Callable[..., FastAPI]
OpenState = Callable[..., Awaitable[dict[str, Any]]]
OpenGame = Callable[..., Awaitable[Game]]


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Give what makes settings for an empty data directory and a simulated game that is quick.

    `make_settings(simulate={"hang_at_stop": 1}, stop_seconds=0.2)`
    """

    def make_settings(
        *, simulate: dict[str, object] | None = None, **changes: object
    ) -> GameServerSettings:
        variables = {
            f"SIMULATE_{name}".upper(): str(value) for name, value in (simulate or {}).items()
        }
        environment = {name: SecretStr(value) for name, value in {**QUICK, **variables}.items()}
        values: dict[str, object] = {
            "environment": Environment.TEST,
            "data_directory": tmp_path / "data",
            "admin_key": SecretStr(ADMIN_KEY),
            "monitor_key": SecretStr(MONITOR_KEY),
            "game_port": free_port(),
            "game_environment": environment,
            "crash_first_pause_seconds": 0.01,
            **changes,
        }
        return GameServerSettings.load(_env_file=None, **values)

    return make_settings


@pytest.fixture
def settings(make_settings: MakeSettings) -> GameServerSettings:
    """Give the settings of the test's own data directory."""
    return make_settings()


@pytest.fixture
def make_app(make_settings: MakeSettings) -> MakeApp:
    """Give what makes the API with changed settings; arguments as for `make_settings`."""

    def make_app(**changes: Any) -> FastAPI:
        return create_app(backend, make_settings(**changes), registry=CollectorRegistry())

    return make_app


@pytest.fixture
def app(make_app: MakeApp) -> FastAPI:
    """Give the API as it is served."""
    return make_app()


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Client]:
    """Give a client of the running API that holds the admin key; a 5xx fails the test."""
    async with client(app, headers={"X-API-Key": ADMIN_KEY}) as opened:
        yield opened


@pytest.fixture
def served_stand_ins() -> Iterator[StandInURLs]:
    """Give a mod database and a feed of game versions, on free ports."""
    with stand_ins(0, 0) as served:
        yield served


@pytest.fixture
def unlimited_app(make_app: MakeApp, served_stand_ins: StandInURLs) -> FastAPI:
    """Give the API for thousands of requests: its Redis is away, and then limits are off."""
    return make_app(
        redis_url=SecretStr(f"redis://127.0.0.1:{free_port()}"),
        rate_limit_on_failure="allow",
        mod_database_url=served_stand_ins.mod_database,
        version_feed_url=served_stand_ins.version_feed,
        stop_seconds=5,
        version_ready_seconds=5,
        mod_ready_seconds=5,
    )


@pytest.fixture(scope="session")
def admin() -> dict[str, str]:
    """Give the header of whoever may do everything."""
    return {"X-API-Key": ADMIN_KEY}


@pytest.fixture(scope="session")
def monitor() -> dict[str, str]:
    """Give the header of whoever may only look."""
    return {"X-API-Key": MONITOR_KEY}


@pytest.fixture
async def open_state(make_app: MakeApp) -> AsyncIterator[OpenState]:
    """Give what runs the lifespan with changed settings, and returns all that it opened."""
    async with AsyncExitStack() as stack:

        async def open_state(**changes: Any) -> dict[str, Any]:
            return await stack.enter_async_context(running(make_app(**changes)))

        yield open_state


@pytest.fixture
async def open_game(open_state: OpenState) -> OpenGame:
    """Give what opens a manager with changed settings, and returns its game, stopped."""

    async def open_game(**changes: Any) -> Game:
        game: Game = (await open_state(**changes))["game"]
        return game

    return open_game


@pytest.fixture
async def game(open_game: OpenGame) -> Game:
    """Give a stopped game."""
    return await open_game()


@pytest.fixture
async def running_game(game: Game) -> Game:
    """Give a game that runs."""
    await game.start(by="test")
    await game.wait_for(GameState.RUNNING, timeout=20)
    return game


@pytest.fixture
def console(running_game: Game) -> Console:
    """Give the console of a game that runs."""
    return running_game.console


async def _endless(_: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 65_536
            await asyncio.sleep(0)

    return StreamingResponse(chunks())


async def _slow(_: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" "
            await asyncio.sleep(0.01)

    return StreamingResponse(chunks())


@pytest.fixture(scope="session")
def unending_routes() -> list[Route]:
    """Give all below /endless, which floods whoever asks, and /slow, which takes its time."""
    return [Route("/endless{rest:path}", _endless), Route("/slow", _slow)]
