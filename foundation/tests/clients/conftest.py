"""Another backend as a real server, as a part of this process, and behind a bad network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from bedplate.clients import LocalServices
from bedplate.clients.client import ServiceClient
from bedplate.testing.processes import free_port
from bedplate.testing.proxy import FaultProxy


class Other:
    """What the other backend does, and what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.cancelled = 0
        self.answers: list[Response] = []
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.app = FastAPI()
        self.app.add_api_route("/echo", self.echo, methods=["GET", "POST", "PUT"])

    async def echo(self, request: Request) -> Response:
        """Answer with what was sent, or with the next of `answers`, as soon as it may."""
        self.requests.append(request)
        self.arrived.set()
        body = await request.json() if await request.body() else None
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.answers:
            return self.answers.pop(0)
        return JSONResponse({"query": dict(request.query_params), "body": body})


Connect = Callable[..., ServiceClient]


@pytest.fixture
def other() -> Other:
    """Give the other backend."""
    return Other()


@pytest.fixture
async def server_url(other: Other) -> AsyncIterator[str]:
    """Give the URL of the other backend, served over HTTP."""
    port = free_port()
    config = uvicorn.Config(other.app, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    other.go_on.set()
    server.should_exit = True
    await serving


@pytest.fixture
async def proxy(server_url: str) -> AsyncIterator[FaultProxy]:
    """Give the network between."""
    async with FaultProxy(server_url) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: FaultProxy) -> AsyncIterator[Connect]:
    """Give what returns a client of the other backend by way of that network."""
    async with AsyncExitStack() as stack:
        opened: list[ServiceClient] = []

        def far(**options: Any) -> ServiceClient:
            opened.append(ServiceClient.at("other", proxy.url, **options))
            stack.push_async_exit(opened[-1])
            return opened[-1]

        yield far


@pytest.fixture
async def near(other: Other) -> AsyncIterator[Connect]:
    """Give what returns a client of the other backend in this process."""
    local_services = LocalServices({"other"})
    with local_services.run("other", other.app, {}):

        def near(**options: Any) -> ServiceClient:
            return ServiceClient.beside("other", local_services, **options)

        yield near


@pytest.fixture(params=["far", "near"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Run the test over HTTP and in process; give what returns a client."""
    found: Connect = request.getfixturevalue(request.param)
    return found
