"""PostgreSQL away, cut, hanging: a 503 in bounded time, and all is well again without a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from bedplate.database import Database
from bedplate.observability.logs import EventDict
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf
from bedplate.testing.proxy import FaultProxy
from tasks.settings import TasksSettings

Headers = dict[str, str]
MakeApp = Callable[..., FastAPI]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

MILK = {"title": "Milk"}
LONG = 20.0

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[FaultProxy]:
    """Give the network between the API and its database."""
    async with FaultProxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def far_api(make_app: MakeApp, proxy: FaultProxy) -> AsyncIterator[Client]:
    """Give a client of the API, whose database is behind that network and has short bounds."""
    app = make_app(
        database_url=SecretStr(proxy.url),
        database_connect_timeout_seconds=1.0,
        database_command_timeout_seconds=1.0,
        database_pool_timeout_seconds=1.0,
    )
    async with client(app) as api, asyncio.timeout(LONG):
        yield api


async def test_a_refusing_database_is_a_503(
    far_api: Client, proxy: FaultProxy, ada: Headers, problem_of: ProblemOf, stored: Stored
) -> None:
    """While connections are refused every request is a 503; the first one afterwards succeeds."""
    assert (await far_api.post("/tasks", json=MILK, headers=ada)).status_code == 201
    await proxy.refuse()
    with far_api.expecting(503):
        for _ in range(3):
            refused = await far_api.post("/tasks", json=MILK, headers=ada)
            assert problem_of(refused, 503)["code"] == "database_unavailable"
            problem_of(await far_api.get("/tasks", headers=ada), 503)
            problem_of(await far_api.get("/health"), 503)
    await proxy.heal()
    assert (await far_api.get("/tasks", headers=ada)).status_code == 200
    assert (await far_api.post("/tasks", json=MILK, headers=ada)).status_code == 201
    assert len(await stored()) == 2


async def test_a_hanging_database_is_a_503(
    far_api: Client, proxy: FaultProxy, ada: Headers, problem_of: ProblemOf
) -> None:
    """While nothing answers, every request is a 503 when its time is up; then all is well."""
    assert (await far_api.get("/tasks", headers=ada)).status_code == 200
    await proxy.hang()
    with far_api.expecting(503):
        reads = [far_api.get("/tasks", headers=ada) for _ in range(12)]
        for response in await asyncio.gather(*reads):
            assert int(response.headers["retry-after"]) == problem_of(response, 503)["retry_after"]
    await proxy.heal()
    assert (await far_api.get("/tasks", headers=ada)).status_code == 200


async def test_a_connection_cut_within_a_request_is_a_503(
    far_api: Client, proxy: FaultProxy, database: Database, ada: Headers, problem_of: ProblemOf,
    stored: Stored,
) -> None:  # fmt: skip
    """A write whose connection is cut is a 503 and stores nothing; the next one succeeds."""
    async with database.engine.begin() as other:
        await other.execute(text("LOCK TABLE tasks"))
        with far_api.expecting(503):
            write = asyncio.create_task(far_api.post("/tasks", json=MILK, headers=ada))
            await waiting_for_a_lock(database)
            await proxy.cut()
            problem_of(await write, 503)
    assert await stored() == []
    assert (await far_api.post("/tasks", json=MILK, headers=ada)).status_code == 201
    assert len(await stored()) == 1


async def test_a_burst_leaves_no_connection_behind(
    api: Client, database: Database, settings: TasksSettings, ada: Headers,
    captured_logs: list[EventDict],
) -> None:  # fmt: skip
    """Connections beyond those that the pool keeps are closed after a burst, without complaint."""
    reads = (api.get("/tasks", headers=ada) for _ in range(50))
    assert {response.status_code for response in await asyncio.gather(*reads)} == {200}
    opened = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tasks'")
    async with database.engine.connect() as connection, asyncio.timeout(LONG):
        while await connection.scalar(opened) > settings.pool_size:
            await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    assert [entry for entry in captured_logs if entry["level"] in {"warning", "error"}] == []


async def waiting_for_a_lock(database: Database) -> None:
    """Return when somebody waits for a lock in the database."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with database.engine.connect() as connection:
        while not await connection.scalar(waiting):
            pass
