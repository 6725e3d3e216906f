"""The sequence service refuses, hangs or is killed: nothing incomplete is left, all recovers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from bedplate.database import Database
from bedplate.testing.client import Client
from bedplate.testing.proxy import FaultProxy

SQLITE_FIRST = pytest.mark.parametrize(
    "url_of", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True
)
"""PostgreSQL, too, in the long run: the same happens there, for twice the time."""

Services = Mapping[str, Client]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]
StartServices = Callable[..., Awaitable[Any]]

LONG = 60.0
AWAY = "central-sequence can't be used just now; try again."


@pytest.fixture
async def sequence(start_services: StartServices) -> Any:
    """Give the sequence service as a process of its own."""
    return await start_services("central-sequence")


@pytest.fixture
async def proxy(sequence: Any) -> AsyncIterator[FaultProxy]:
    """Give the network between the services."""
    async with FaultProxy(sequence.url) as proxy:
        yield proxy


@pytest.fixture
async def far(open_services: OpenServices, proxy: FaultProxy) -> AsyncIterator[Services]:
    """Give scripts and sessions, which reach the sequence service by way of that network."""
    options: dict[str, object] = {"sequence_url": proxy.url, "sequence_timeout_seconds": 0.3}
    opened = open_services("scripts", "session-context", scripts=options, session_context=options)
    async with opened as clients, asyncio.timeout(LONG):
        yield clients


async def refused(client: Client, path: str, body: dict[str, object]) -> None:
    """See that a POST is a 503 with a message and a time to come back."""
    with client.expecting(503):
        answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()) == (503, {"message": AWAY})
    assert int(answer.headers["retry-after"]) >= 1


async def stored(open_database: OpenDatabase, name: str, table: str) -> list[tuple[int, Any]]:
    """Return identifier and number of every row, including the invisible ones."""
    async with open_database(name) as database, database.engine.connect() as connection:
        result = await connection.execute(
            text(f"SELECT id, sequence_number FROM {table} ORDER BY id")
        )
        return [(row[0], row[1]) for row in result]


async def test_without_the_sequence_service_nothing_is_left(
    far: Services, proxy: FaultProxy, open_database: OpenDatabase
) -> None:
    """While it refuses or hangs, scripts, headings and sessions are a 503 and aren't stored."""
    scripts, sessions = far["scripts"], far["session-context"]
    assert (await scripts.post("/scripts", json={"title": "First"})).status_code == 201
    listed = (await scripts.get("/scripts")).json()
    structure = (await scripts.get("/scripts/1/structure")).json()
    for fail in (proxy.refuse, proxy.hang):
        await fail()
        await refused(scripts, "/scripts", {"title": "Never"})
        await refused(scripts, "/scripts/1/sections", {"title": "Never"})
        await refused(sessions, "/sessions", {"userId": 1})
        assert (await scripts.get("/scripts")).json() == listed
        assert (await scripts.get("/scripts/1/structure")).json() == structure
        assert (await sessions.get("/sessions")).json() == []
        # What needs no number goes on.
        assert (await scripts.put("/scripts/1", json={"title": "First"})).status_code == 200
        assert (await scripts.get("/scripts/2")).status_code == 404
    await proxy.heal()
    assert (await scripts.post("/scripts", json={"title": "Second"})).status_code == 201
    assert (await scripts.post("/scripts/1/sections", json={"title": "Act"})).status_code == 201
    assert (await sessions.post("/sessions", json={"userId": 1})).status_code == 201
    for name, table, count in (
        ("scripts", "scripts", 2),
        ("scripts", "section_headings", 1),
        ("session-context", "sessions", 1),
    ):
        rows = await stored(open_database, name, table)
        assert len(rows) == count
        assert all(number is not None for _, number in rows)


@SQLITE_FIRST
async def test_a_killed_sequence_service_comes_back(far: Services, sequence: Any) -> None:
    """After `kill -9` scripts are a 503; with a new process they are stored under new numbers."""
    scripts = far["scripts"]
    first = (await scripts.post("/scripts", json={"title": "First"})).json()
    await asyncio.to_thread(sequence.process.kill)
    await refused(scripts, "/scripts", {"title": "Never"})
    assert len((await scripts.get("/scripts")).json()) == 1
    await asyncio.to_thread(sequence.process.start)
    second = await scripts.post("/scripts", json={"title": "Second"})
    assert second.status_code == 201
    assert second.json()["sequenceNumber"] == first["sequenceNumber"] + 1


async def test_a_reorder_that_is_not_answered(far: Services, proxy: FaultProxy) -> None:
    """While the sequence service is down a reorder answers 503 and the order is unchanged."""
    scripts = far["scripts"]
    await scripts.post("/scripts", json={"title": "Hamlet"})
    for title in ("One", "Two"):
        await scripts.post("/scripts/1/sections", json={"title": title})
    before = (await scripts.get("/scripts/1/sections")).json()
    exchange = [{"headingId": 1, "newSequence": 3}, {"headingId": 2, "newSequence": 2}]
    for fail in (proxy.refuse, proxy.hang):
        await fail()
        await refused(scripts, "/scripts/1/sections/reorder", {"elements": exchange})
        assert (await scripts.get("/scripts/1/sections")).json() == before
    await proxy.heal()
    answer = await scripts.post("/scripts/1/sections/reorder", json={"elements": exchange})
    assert answer.status_code == 200
    after = (await scripts.get("/scripts/1/sections")).json()
    assert [item["headingId"] for item in after] == [2, 1]


@SQLITE_FIRST
async def test_a_killed_script_service_leaves_nothing_to_see(
    start_services: StartServices,
    proxy: FaultProxy,
    connect: Callable[..., Client],
    open_database: OpenDatabase,
) -> None:
    """A service killed between storing and numbering shows no script afterwards, and works."""
    await proxy.hang()
    service = await start_services(
        "scripts", SCRIPTS_SEQUENCE_URL=proxy.url, SCRIPTS_SEQUENCE_TIMEOUT_SECONDS="30"
    )
    async with connect("scripts", service.url) as scripts, asyncio.timeout(LONG):
        creating = asyncio.create_task(scripts.post("/scripts", json={"title": "Never"}))
        while await stored(open_database, "scripts", "scripts") != [(1, None)]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.to_thread(service.process.kill)
        with pytest.raises(httpx2.TransportError):
            await creating
        await proxy.heal()
        await asyncio.to_thread(service.process.start)
        assert (await scripts.get("/scripts")).json() == []
        assert (await scripts.get("/scripts/1")).status_code == 404
        assert (await scripts.post("/scripts/1/sections", json={"title": "A"})).status_code == 404
        made = await scripts.post("/scripts", json={"title": "Second"})
        assert made.json()["scriptId"] == 2
        assert [item["scriptId"] for item in (await scripts.get("/scripts")).json()] == [2]
