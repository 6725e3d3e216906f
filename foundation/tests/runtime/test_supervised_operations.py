"""One operations port for several workers, with workers of every kind behind it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from bedplate.lifecycle import Drain
from bedplate.observability.health import Health, operations_app
from bedplate.observability.metrics import RequestMetrics
from bedplate.runtime.listener import bind_unix
from bedplate.runtime.server import HttpServer
from bedplate.runtime.supervised_operations import SupervisedOperations
from bedplate.runtime.worker_socket import ForwardedClient


@pytest.fixture
def directory() -> Iterator[Path]:
    """Give a directory for sockets, with a short path."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@asynccontextmanager
async def worker(path: Path) -> AsyncIterator[None]:
    """Serve a worker's operations on that socket: healthy, and one request counted."""
    registry = CollectorRegistry()
    RequestMetrics(registry, "shop").observe_rate_limit("allowed")
    application = ForwardedClient(operations_app({"shop": Health(version="7")}, registry))
    server = HttpServer(application, bind_unix(path), keep_alive=5)
    await server.start()
    yield
    await server.stop_listening(last=False)
    await server.cut()


@asynccontextmanager
async def stranger(path: Path, *, says: bytes) -> AsyncIterator[None]:
    """Accept connections on that socket, say something, and leave them open."""
    writers = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        writers.append(writer)

    server = await asyncio.start_unix_server(hold, path)
    yield
    server.close()
    for writer in writers:
        writer.close()


def client(operations: ASGIApp, address: str = "127.0.0.1") -> httpx2.AsyncClient:
    """Return a client of the operations port that connects from this address."""
    transport = httpx2.ASGITransport(app=operations, client=(address, 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://operations")


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"Hello"])
async def test_worker_that_does_not_answer_is_left_out(directory: Path, says: bytes) -> None:
    """A worker that hangs, stops midway or talks nonsense costs its metrics and readiness only."""
    paths = {number: directory / f"{number}.sock" for number in (1, 2, 3)}
    operations = SupervisedOperations(Drain(), paths, answer_seconds=0.2)
    async with worker(paths[1]), stranger(paths[2], says=says), client(operations) as asking:
        metrics = await asking.get("/metrics")
        ready = await asking.get("/readyz")
    assert metrics.status_code == 200
    counted = 'rate_limit_decisions_total{backend="shop",decision="allowed",worker="%d"} 1.0'
    assert [counted % number in metrics.text for number in paths] == [True, False, False]
    assert ready.status_code == 503
    states = {worker["worker"]: worker["status"] for worker in ready.json()["workers"]}
    assert states == {1: 200, 2: 503, 3: 503}


async def test_metrics_of_nobody_are_an_error(directory: Path) -> None:
    """When no worker answers, the scraper has to see that, not a page without metrics."""
    async with client(SupervisedOperations(Drain(), {1: directory / "none"})) as asking:
        assert (await asking.get("/metrics")).status_code == 503


async def detail_seen(directory: Path, address: str, headers: dict[str, str]) -> Any:
    """Return whether a client sees the version of a backend on /statusz."""
    path = directory / "worker.sock"
    operations = SupervisedOperations(Drain(), {1: path})
    async with worker(path), client(operations, address) as asking:
        response = await asking.get("/statusz", headers=headers)
    assert response.status_code == 200
    return "version" in response.json()["workers"][0]["answer"]["shop"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_details_are_for_this_machine(directory: Path, address: str) -> None:
    """A client on this machine sees the details of /statusz behind a supervisor, too."""
    assert await detail_seen(directory, address, {})


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.7", {}),
        ("192.0.2.7", {"bedplate-client": '["127.0.0.1",1]'}),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}),
    ],
)
async def test_details_are_for_nobody_else(
    directory: Path, address: str, headers: dict[str, str]
) -> None:
    """Another machine sees none, even when it claims to be this one or comes through a proxy."""
    assert not await detail_seen(directory, address, headers)


async def test_draining_is_not_ready(directory: Path) -> None:
    """As soon as the workers are to leave /readyz is 503, while /healthz stays 200."""
    drain = Drain()
    path = directory / "worker.sock"
    async with worker(path), client(SupervisedOperations(drain, {1: path})) as asking:
        assert (await asking.get("/readyz")).status_code == 200
        drain.begin()
        assert (await asking.get("/readyz")).status_code == 503
        assert (await asking.get("/healthz")).status_code == 200
        assert (await asking.get("/else")).status_code == 404
