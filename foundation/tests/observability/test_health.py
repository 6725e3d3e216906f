"""Alive, ready, and the state of both."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, HTTPException
from pydantic import SecretStr
from starlette.requests import Request

from bedplate.lifecycle import Drain
from bedplate.observability.health import Health, HealthCheck, health_router

TOKEN = "t" * 32
LOCAL, REMOTE = "127.0.0.1", "203.0.113.9"


class Dependency:
    """Something a backend needs, in the state that a test wants."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.answers: object = None
        self.calls = 0
        self.asked = asyncio.Event()
        self.released = asyncio.Event()
        self.released.set()

    async def ping(self) -> object:
        """Answer, fail, or wait."""
        self.calls += 1
        self.asked.set()
        await self.released.wait()
        if self.error is not None:
            raise self.error
        return self.answers


@pytest.fixture
async def dependency() -> Dependency:
    """Give a dependency that is well."""
    return Dependency()


@pytest.fixture
async def drain() -> Drain:
    """Give what says that the process goes away."""
    return Drain()


@pytest.fixture
async def health(dependency: Dependency, drain: Drain) -> Health:
    """Give the health of a backend with one dependency."""
    checks = [HealthCheck("database", dependency.ping, timeout=0.05)]
    return Health(checks, version="1.2.3", build="abc", drain=drain, status_token=SecretStr(TOKEN))


def refuse() -> None:
    """Refuse everybody."""
    raise HTTPException(401)


@pytest.fixture
async def connect(health: Health) -> AsyncIterator[Callable[[str], httpx2.AsyncClient]]:
    """Give what makes a client, from an address, of an application that refuses everybody."""
    app = FastAPI(dependencies=[Depends(refuse)])
    app.include_router(health_router(health))

    def connected(address: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app, client=(address, 1))
        return httpx2.AsyncClient(transport=transport, base_url="http://test")

    yield connected
    assert not app.openapi()["paths"]


@pytest.fixture
async def client(connect: Callable[[str], httpx2.AsyncClient]) -> httpx2.AsyncClient:
    """Give a client on another machine."""
    return connect(REMOTE)


async def test_ready(client: httpx2.AsyncClient) -> None:
    """A backend whose dependencies are well is ready, for anybody, and no cache keeps that."""
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "checks": {"database": {"status": "ok"}}}
    assert response.headers["cache-control"] == "no-store"


async def test_alive(client: httpx2.AsyncClient, dependency: Dependency) -> None:
    """Liveness asks no dependency."""
    dependency.error = ConnectionError("down")
    response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert dependency.calls == 0


@pytest.mark.parametrize("how", ["raises", "returns False", "hangs"])
async def test_not_ready(client: httpx2.AsyncClient, dependency: Dependency, how: str) -> None:
    """A dependency that is away makes 503, and says no more than its name; it may come back."""
    if how == "raises":
        dependency.error = ConnectionError("postgres://shop:hunter2@db")
    elif how == "hangs":
        dependency.released.clear()
    else:
        dependency.answers = False
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "checks": {"database": {"status": "failing"}},
    }
    dependency.error, dependency.answers = None, None
    dependency.released.set()
    assert (await client.get("/readyz")).status_code == 200


async def test_check_that_can_not_be_cancelled(drain: Drain) -> None:
    """A check that resists its end doesn't hold the answer."""
    release = asyncio.Event()

    async def resist() -> None:
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()

    health = Health([HealthCheck("stubborn", resist, timeout=0.02)])
    ready, _ = await asyncio.wait_for(health.readiness(), 10)
    assert not ready
    release.set()
    await asyncio.sleep(0)


async def test_draining(client: httpx2.AsyncClient, drain: Drain, dependency: Dependency) -> None:
    """While the process goes away it isn't ready, and still alive."""
    drain.begin(keep_streams=True)
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "draining")
    assert (await client.get("/healthz")).status_code == 200
    assert dependency.calls == 0


async def test_stampede(client: httpx2.AsyncClient, dependency: Dependency) -> None:
    """Many who ask at once share one check."""
    dependency.released.clear()
    asking = [asyncio.create_task(client.get("/readyz")) for _ in range(20)]
    await dependency.asked.wait()
    dependency.released.set()
    assert {response.status_code for response in await asyncio.gather(*asking)} == {200}
    assert dependency.calls == 1


async def test_checks_run_at_once(drain: Drain) -> None:
    """Checks wait for each other without a deadlock, so they run concurrently."""
    meet = asyncio.Barrier(3)
    health = Health([HealthCheck(str(number), meet.wait, timeout=5) for number in range(3)])
    assert (await health.readiness())[0]


@pytest.mark.parametrize(
    ("address", "headers", "detailed"),
    [
        (LOCAL, {}, True),
        ("::1", {}, True),
        (REMOTE, {}, False),
        (LOCAL, {"X-Forwarded-For": REMOTE}, False),
        (REMOTE, {"Authorization": f"Bearer {TOKEN}"}, True),
        (REMOTE, {"Authorization": "Bearer wrong"}, False),
        (REMOTE, {"Authorization": b"Bearer \xc3\xa4\xff"}, False),
        (REMOTE, {"Authorization": f"Basic {TOKEN}"}, False),
    ],
)
async def test_status(
    connect: Callable[[str], httpx2.AsyncClient],
    address: str,
    headers: dict[str, Any],
    detailed: bool,
) -> None:
    """Detail is for this machine and for who has the token; others learn the state only."""
    document = (await connect(address).get("/statusz", headers=headers)).json()
    if not detailed:
        assert document == {"status": "ready"}
        return
    assert document.pop("uptime_seconds") >= 0
    assert document.pop("started_at").endswith("Z")
    assert document["checks"]["database"].pop("latency_ms") >= 0
    assert document == {
        "status": "ready",
        "version": "1.2.3",
        "build": "abc",
        "checks": {"database": {"status": "ok"}},
    }


async def test_the_token_may_have_any_characters() -> None:
    """A header is bytes: a token beyond ASCII, or that isn't UTF-8 in the environment, is known."""
    for token in ("schlüssel" * 4, "voilà" * 7, "\udcff" * 32):
        sent = b"Bearer " + token.encode("utf-8", "surrogateescape")
        scope = {"type": "http", "client": (REMOTE, 1), "headers": [(b"authorization", sent)]}
        assert Health(status_token=SecretStr(token)).may_see_detail(Request(scope))
        assert not Health(status_token=SecretStr("x" * 32)).may_see_detail(Request(scope))


async def test_error_in_detail(
    connect: Callable[[str], httpx2.AsyncClient], dependency: Dependency
) -> None:
    """The detail names the kind of error, never its text."""
    dependency.error = ConnectionError("postgres://shop:hunter2@db")
    response = await connect(LOCAL).get("/statusz")
    assert response.json()["checks"]["database"]["error"] == "ConnectionError"
    assert "hunter2" not in response.text


async def test_changes_are_logged(
    client: httpx2.AsyncClient, dependency: Dependency, captured_logs: list[dict[str, Any]]
) -> None:
    """A dependency that goes and comes back makes one line each, however often it is checked."""
    dependency.error = ConnectionError("down")
    for _ in range(3):
        await client.get("/readyz")
    dependency.error = None
    for _ in range(3):
        await client.get("/readyz")
    assert [(event["event"], event["check"]) for event in captured_logs] == [
        ("health_check_failing", "database"),
        ("health_check_recovered", "database"),
    ]
