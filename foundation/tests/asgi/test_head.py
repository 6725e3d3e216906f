"""HEAD works where GET does."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse

from bedplate.asgi import AccessLog, HeadAsGet, wrap_outermost

Call = Callable[..., Any]


@pytest.fixture
def app() -> FastAPI:
    """Give an application whose routes know GET."""
    app = FastAPI()
    app.add_middleware(HeadAsGet)
    wrap_outermost(app, AccessLog, backend="shop")

    @app.get("/")
    async def get() -> str:
        return "hello"

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(endless())

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[str]:
        while True:
            yield "x"
            await asyncio.sleep(0)

    return app


async def test_head(call: Call, app: FastAPI) -> None:
    """HEAD gives the status and headers of GET, its Content-Length too, and no body."""
    get, head = await call(app), await call(app, method="HEAD")

    def headers(exchange: Any) -> list[Any]:
        return [pair for pair in exchange.sent[0]["headers"] if pair[0] != b"x-request-id"]

    assert (head.status, headers(head)) == (get.status, headers(get))
    assert (b"content-length", b"7") in head.sent[0]["headers"]
    assert head.body == b""


async def test_unknown_path(call: Call, app: FastAPI) -> None:
    """HEAD gives 404 where GET does, without a body."""
    exchange = await call(app, method="HEAD", path="/nowhere")
    assert (exchange.status, exchange.body) == (404, b"")


@pytest.mark.parametrize("path", ["/stream", "/events"])
async def test_endless_stream(
    call: Call, app: FastAPI, path: str, captured_logs: list[dict[str, Any]]
) -> None:
    """A stream without an end is ended for HEAD, and nobody takes that for an error."""
    exchange = await asyncio.wait_for(call(app, method="HEAD", path=path), 10)
    assert exchange.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert [event["event"] for event in captured_logs] == ["request"]


async def test_real_server(app: FastAPI) -> None:
    """A real server keeps the connection after HEAD: it knows that no body follows."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
            for path in ["/", "/stream", "/"]:
                response = await client.head(path)
                assert (response.status_code, response.content) == (200, b"")
            assert (await client.get("/")).text == '"hello"'
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(serving, 10)
        listener.close()
