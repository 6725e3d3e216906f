"""The applications that the tests of the runtime serve."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import structlog
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from bedplate.observability.metrics import MetricsApp, RequestMetrics

METRICS = RequestMetrics(REGISTRY, "served")


def configure_logs() -> None:
    """Let every process write its log as JSON to standard output."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(),  # one write a line: workers share a pipe
    )


def pids() -> dict[str, float]:
    """Return this process's id by its kind."""
    return {"served": os.getpid()}


METRICS.register_gauge("process_id", "Process id", ["kind"], pids)


def log(event: str) -> None:
    """Write a line of log."""
    structlog.get_logger().info(event, pid=os.getpid())


async def write(request: Request) -> Response:
    """Answer with what was sent."""
    body = await request.body()
    METRICS.end(request.scope, "POST", "/write", 200, seconds=0.0)
    return Response(body)


async def pid(request: Request) -> Response:
    """Answer with the process id."""
    return PlainTextResponse(str(os.getpid()))


async def until_drain(request: Request) -> Response:
    """Answer when the listener is closed and the streams are asked to end."""
    log("request_running")
    await request.app.state.drain.wait()
    return PlainTextResponse("finished")


async def events(request: Request) -> Response:
    """Stream until asked to end."""

    async def stream() -> AsyncIterator[str]:
        yield "data: begin\n\n"
        await request.app.state.drain.wait()
        yield "data: end\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


async def stubborn(request: Request) -> Response:
    """Stream forever, whatever happens."""

    async def stream() -> AsyncIterator[str]:
        while True:
            yield "data: more\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(stream(), media_type="text/event-stream")


async def block(request: Request) -> Response:
    """Block the event loop for longer than any test waits."""
    log("blocking")
    time.sleep(600)  # noqa: ASYNC251 - that is the point
    return PlainTextResponse("late")


async def echo(socket: WebSocket) -> None:
    """Say again what is said."""
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


def make_application(drain: Drain, failure: str = "") -> ASGIApp:
    """Return the API."""
    configure_logs()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if failure:
            raise ConnectionError(failure)
        async with Jobs() as jobs:
            jobs.start(work(jobs), name="work")
            log("opened")
            yield
        log("closed")

    async def work(jobs: Jobs) -> None:
        await jobs.stopping.wait()
        log("job_stopped")

    routes = [
        Route("/write", write, methods=["POST"]),
        Route("/pid", pid),
        Route("/until-drain", until_drain),
        Route("/events", events),
        Route("/stubborn", stubborn),
        Route("/block", block),
        WebSocketRoute("/echo", echo),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.drain = drain
    return app


def make_operations(drain: Drain, application: ASGIApp, *arguments: object) -> ASGIApp:
    """Return the operations application."""

    async def readyz(request: Request) -> Response:
        headers = dict(request.headers)
        seen = {"pid": os.getpid(), "client": request.client, "headers": headers}
        return JSONResponse(seen, 503 if drain.draining else 200)

    routes = [Route(path, readyz) for path in ("/readyz", "/statusz")]
    return Starlette(routes=[*routes, Route("/metrics", MetricsApp(REGISTRY))])
