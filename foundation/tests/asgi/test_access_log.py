"""The outermost layer: ids, lines, and what becomes of unhandled errors."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog
from fastapi import APIRouter, BackgroundTasks, FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from bedplate.asgi import AccessLog, HeadAsGet, wrap_outermost
from bedplate.observability.metrics import RequestMetrics
from bedplate.problems import NotFound, install_problems

Events = list[dict[str, Any]]


@pytest.fixture
def app() -> FastAPI:
    """Give an application with one route of each kind that matters here."""
    app = FastAPI()
    router = APIRouter(prefix="/items")

    @router.get("/{item_id}")
    async def item(item_id: int, request: Request) -> dict[str, int]:
        request.state.principal_id = "user:7"
        request.state.response_headers = [(b"x-extra", b"1")]
        structlog.get_logger("shop").info("inside")
        logging.getLogger("library").warning("inside a library")
        return {"id": item_id}

    @app.get("/missing")
    async def missing() -> None:
        raise NotFound("There is none.")

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("kaboom secret detail")

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(structlog.get_logger("shop").info, "in the background")
        return "ok"

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    app.include_router(router, prefix="/api")
    app.add_middleware(HeadAsGet)
    install_problems(app)
    wrap_outermost(app, AccessLog, backend="shop")
    return app


def lines(events: Events) -> Events:
    """Return the access lines among the events."""
    return [event for event in events if event["event"] in {"request", "websocket"}]


async def test_one_line_a_request(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """One line tells method, template, status, time, size, client and principal, and no values."""
    response = await connect(app).get("/api/items/5?token=abc")
    [line] = lines(captured_logs)
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").tzinfo is not None
    assert line == {
        "level": "info",
        "logger": "bedplate.access",
        "event": "request",
        "request_id": response.headers["x-request-id"],
        "backend": "shop",
        "method": "GET",
        "route": "/api/items/{item_id}",
        "status": 200,
        "bytes": len(response.content),
        "client": "127.0.0.1",
        "principal": "user:7",
    }


async def test_every_line_has_the_id(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """Lines of our own code and of libraries carry the id of the request they belong to."""
    await connect(app).get("/api/items/5", headers={"X-Request-ID": "mine"})
    assert [event.get("request_id") for event in captured_logs] == ["mine"] * 3


async def test_background_work_keeps_the_id(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """What runs after the response still logs under the request's id; its line came before."""
    await connect(app).get("/later", headers={"X-Request-ID": "mine"})
    assert [(event["event"], event["request_id"]) for event in captured_logs] == [
        ("request", "mine"),
        ("in the background", "mine"),
    ]


async def test_the_id_ends_with_the_request(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """After a request nothing of it is bound to what logs next."""
    await connect(app).get("/api/items/5")
    structlog.get_logger("shop").info("outside")
    assert "request_id" not in captured_logs[-1]


async def test_response_headers(app: FastAPI, connect: Callable[..., Any]) -> None:
    """The response has the id, the constant headers, and those that inner parts left."""
    response = await connect(app).get("/api/items/5", headers={"X-Request-ID": "mine"})
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-extra"] == "1"


async def test_unmatched_request(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """A request that no route matches has no template; its path isn't logged."""
    await connect(app).get("/nowhere/secret")
    [line] = lines(captured_logs)
    assert (line["route"], line["status"], line["problem"]) == (None, 404, "not_found")
    assert "secret" not in str(captured_logs)


async def test_problem_is_named(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """The line of a refused request says which problem it was."""
    await connect(app).get("/missing")
    assert lines(captured_logs)[0]["problem"] == "not_found"


async def test_head_is_logged_as_head(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """A HEAD request that was served as GET is logged as HEAD, with no bytes."""
    await connect(app).head("/api/items/5")
    [line] = lines(captured_logs)
    assert (line["method"], line["status"], line["bytes"]) == ("HEAD", 200, 0)


async def test_z_pages_are_quiet(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """Health checks are logged at debug only."""
    await connect(app).get("/healthz")
    assert lines(captured_logs)[0]["level"] == "debug"


async def test_unhandled_error(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """An unhandled error is logged once, with its trace and id, and the client learns nothing."""
    response = await connect(app).get("/broken")
    [error] = [event for event in captured_logs if event["event"] == "unhandled_error"]
    assert "RuntimeError: kaboom" in error["exception"]
    assert error["request_id"] == response.headers["x-request-id"]
    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.json()["code"] == lines(captured_logs)[0]["problem"] == "internal_server_error"
    assert "kaboom" not in response.text


async def test_error_of_a_plain_application(
    call: Callable[..., Any], captured_logs: Events
) -> None:
    """Where nothing else answers an unhandled error, this layer answers 500."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("kaboom")

    exchange = await call(AccessLog(broken, backend="plain"))
    assert exchange.status == 500
    assert b"internal_server_error" in exchange.body
    assert b"kaboom" not in exchange.body
    assert lines(captured_logs)[0]["status"] == 500


async def test_error_in_a_stream_is_raised(call: Callable[..., Any], captured_logs: Events) -> None:
    """An error in the middle of a response goes on to the server, which cuts the connection."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError

    app = FastAPI()

    @app.get("/")
    async def stream() -> Response:
        return StreamingResponse(pieces())

    wrap_outermost(app, AccessLog, backend="shop")
    with pytest.raises(RuntimeError):
        await call(app)
    [line] = lines(captured_logs)
    assert (line["status"], line["complete"], line["bytes"]) == (200, False, 4)


@pytest.mark.parametrize("error", [ClientDisconnect, asyncio.CancelledError])
async def test_gone_client(
    call: Callable[..., Any], captured_logs: Events, error: type[BaseException]
) -> None:
    """A client that went away makes status 499, and no stack trace."""

    async def left(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    try:
        await call(AccessLog(left, backend="plain"))
    except asyncio.CancelledError:
        assert error is asyncio.CancelledError
    assert [(event["event"], event["status"]) for event in captured_logs] == [("request", 499)]


async def test_another_client_is_gone(call: Callable[..., Any], captured_logs: Events) -> None:
    """A WebSocket that a request's handler loses is an error of that request, like any other."""

    async def left(scope: Scope, receive: Receive, send: Send) -> None:
        raise WebSocketDisconnect

    await call(AccessLog(left, backend="plain"))
    events = [(event["event"], event.get("status")) for event in captured_logs]
    assert events == [("unhandled_error", None), ("request", 500)]


async def test_gone_client_while_reading(call: Callable[..., Any], captured_logs: Events) -> None:
    """A client that goes while its body is read makes 499, whatever the application answers."""
    app = FastAPI()

    @app.post("/")
    async def post(body: dict[str, int]) -> None: ...

    wrap_outermost(app, AccessLog, backend="shop")
    half: Message = {"type": "http.request", "body": b"{", "more_body": True}
    await call(app, half, method="POST", headers=[(b"content-type", b"application/json")])
    assert lines(captured_logs)[0]["status"] == 499


async def test_mounted_path_is_part_of_the_template(
    app: FastAPI, connect: Callable[..., Any], captured_logs: Events
) -> None:
    """A z-page is one also where its application is mounted under a path."""
    outer = FastAPI()
    outer.mount("/shop", app)
    await connect(outer).get("/shop/healthz")
    assert lines(captured_logs)[0]["level"] == "debug"


def test_websocket(app: FastAPI, captured_logs: Events) -> None:
    """A WebSocket makes one line at its end, with its close code; its handshake has the id."""

    @app.websocket("/rooms/{room}")
    async def room(websocket: WebSocket, room: str) -> None:
        await websocket.accept()
        await websocket.receive_text()

    with TestClient(app).websocket_connect("/rooms/5") as session:
        accepted: Any = session.extra_headers
        session.close(4001)
    [line] = lines(captured_logs)
    assert (line["event"], line["route"], line["code"]) == ("websocket", "/rooms/{room}", 4001)
    assert dict(accepted)[b"x-request-id"].decode() == line["request_id"]


def test_websocket_error(app: FastAPI, captured_logs: Events) -> None:
    """An unhandled error in a WebSocket is logged once and closes it with 1011."""

    @app.websocket("/rooms")
    async def room(websocket: WebSocket) -> None:
        await websocket.accept()
        raise RuntimeError

    with TestClient(app).websocket_connect("/rooms") as session:
        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_text()
        assert closed.value.code == 1011
    assert [event["event"] for event in captured_logs] == ["unhandled_error", "websocket"]


def test_websocket_error_before_the_handshake(app: FastAPI, captured_logs: Events) -> None:
    """An unhandled error before the handshake refuses it with a 500 problem."""

    @app.websocket("/rooms")
    async def room(websocket: WebSocket) -> None:
        raise RuntimeError

    with (
        pytest.raises(WebSocketDisconnect),
        TestClient(app).websocket_connect("/rooms"),
    ):
        raise AssertionError
    assert lines(captured_logs)[0]["status"] == 500


async def test_metrics(connect: Callable[..., Any], captured_logs: Events) -> None:
    """Each request is one observation under its template, and none stays active."""
    app, registry = FastAPI(), CollectorRegistry()
    seen: list[float | None] = []

    def sample(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"backend": "shop", "method": "GET", **labels})

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> None:
        seen.append(sample("http_server_active_requests", route="/items/{item_id}"))
        if item_id == 2:
            raise RuntimeError

    wrap_outermost(app, AccessLog, backend="shop", metrics=RequestMetrics(registry, "shop"))
    client = connect(app)
    for path in ("/items/1", "/items/2", "/nowhere"):
        await client.get(path)
    count = "http_server_request_duration_seconds_count"
    assert seen == [1, 1]
    assert sample("http_server_active_requests", route="/items/{item_id}") is None
    assert sample(count, route="/items/{item_id}", status="200") == 1
    assert sample(count, route="/items/{item_id}", status="500") == 1
    assert sample(count, route="unmatched", status="404") == 1


async def test_lifespan_passes(call: Callable[..., Any], captured_logs: Events) -> None:
    """What is neither a request nor a WebSocket passes untouched."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    await call(AccessLog(app, backend="plain"), type="lifespan")
    assert (seen, captured_logs) == (["lifespan"], [])
