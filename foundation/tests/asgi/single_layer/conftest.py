"""An application served by the one layer, and the same application served by the layers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, UploadFile
from fastapi.responses import PlainTextResponse, StreamingResponse
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from bedplate import ids
from bedplate.application import create_app
from bedplate.asgi.single_layer import SingleLayer
from bedplate.asgi.timeout import RequestTimeout
from bedplate.backend import Backend, Upload
from bedplate.problems import NotFound
from bedplate.settings import Settings
from bedplate.testing.clock import SettableClock
from bedplate.testing.logs import captured_logs

ORIGIN = "https://app.example.com"
MAX_BODY = 60
Header = tuple[bytes, bytes]


class Note(BaseModel):
    """A body."""

    title: str
    tags: list[Any] = []


class Program:
    """An ASGI application that does what the test tells it, step by step."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do the steps: messages are sent, anything else is done by its name."""
        for step in scope["steps"]:
            if isinstance(step, dict):
                await send({**step})
            else:
                name, *values = step
                await STEPS[name](scope, receive, *values)


async def _read(scope: Scope, receive: Receive) -> None:
    structlog.get_logger("program").info("read", message=await receive())


async def _fail(scope: Scope, receive: Receive, make_error: Callable[[], Exception]) -> None:
    raise make_error()


async def _set(scope: Scope, receive: Receive, name: str, value: Any) -> None:
    scope["state"][name] = value


async def _expire(scope: Scope, receive: Receive) -> None:
    """Let the time of all running requests be over, as the timer does."""
    timeout: RequestTimeout = scope["app"].state.timeout
    assert timeout._deadlines is not None
    for deadline in list(timeout._deadlines._running):
        del timeout._deadlines._running[deadline]
        deadline.expire()


async def _cancel(scope: Scope, receive: Receive) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def _wait(scope: Scope, receive: Receive) -> None:
    await asyncio.sleep(0)


async def _wait_stubbornly(scope: Scope, receive: Receive) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)


async def _push(scope: Scope, receive: Receive, make_error: Callable[[], Exception] | None) -> None:
    scope["fastapi_middleware_astack"].callback(closing, make_error)


STEPS: dict[str, Callable[..., Any]] = {
    "read": _read,
    "fail": _fail,
    "set": _set,
    "expire": _expire,
    "cancel": _cancel,
    "wait": _wait,
    "wait stubbornly": _wait_stubbornly,
    "push": _push,
}


def closing(make_error: Callable[[], Exception] | None) -> None:
    """Log that an exit stack ends; with an error, fail."""
    structlog.get_logger("program").info("closing")
    if make_error is not None:
        raise make_error()


router = APIRouter()
router.add_route("/program", Program(), methods=None, name="program")  # type: ignore[arg-type]


@router.get("/notes/{number}")
async def get_note(number: int) -> Note:
    """Return a note."""
    if number == 404:
        raise NotFound("There is none.")
    if number == 409:
        raise HTTPException(409, "no", headers={"X-Own": "1"})
    if number == 500:
        raise RuntimeError("kaboom")
    return Note(title="t")


@router.post("/notes", status_code=201)
@router.put("/notes")
@router.patch("/notes")
@router.post("/upload")
async def take_note(note: Note, request: Request) -> Note:
    """Return what was sent."""
    request.state.principal_id = "user:7"
    request.state.response_headers = [(b"x-extra", b"1")]
    return note


@router.post("/small", max_body_size=4)
@router.post("/any")
async def take_any(request: Request) -> int:
    """Return how much was sent."""
    return len(await request.body())


@router.post("/files")
async def take_file(file: UploadFile) -> int:
    """Return how much a file has."""
    return len(await file.read())


@router.delete("/later", status_code=204)
async def delete_later(tasks: BackgroundTasks) -> None:
    """Do it after the response."""
    tasks.add_task(structlog.get_logger("program").info, "in the background")


@router.get("/failing-later")
async def fail_later(tasks: BackgroundTasks) -> int:
    """Fail after the response."""

    def fail() -> None:
        raise RuntimeError("too late")

    tasks.add_task(fail)
    return 1


async def one() -> AsyncIterator[int]:
    """Yield, and log what it sees afterwards."""
    try:
        yield 1
    finally:
        structlog.get_logger("program").info("dependency ends")


@router.get("/streams/{fails}")
async def stream(fails: bool, one: Annotated[int, Depends(one)]) -> StreamingResponse:
    """Answer in parts; then fail."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"a" * one
        if fails:
            raise RuntimeError("kaboom")
        yield b"b"

    return StreamingResponse(parts(), headers={"Vary": "Accept"})


@router.get("/sync")
def sync() -> PlainTextResponse:
    """Answer from a thread."""
    return PlainTextResponse("Content Too Large", 413)


BACKEND = Backend(
    name="layered",
    title="Layered",
    settings=Settings,
    routers=[router],
    uploads=[Upload(path="/upload", max_bytes=4, seconds=3600)],
)


def make_app(registry: CollectorRegistry | None = None, **values: Any) -> FastAPI:
    """Return an application that serves common requests in one layer."""
    limits = Settings.load(
        _env_file=None,
        max_body_bytes=MAX_BODY,
        max_json_depth=3,
        max_json_members=4,
        request_timeout_seconds=3600,
        **values,
    )
    return create_app(BACKEND, limits, registry=registry or CollectorRegistry())


class Side:
    """An application, with its own registry, and the layer or the stack that serves it."""

    def __init__(self, *, cors: bool, one_layer: bool) -> None:
        self.registry = CollectorRegistry()
        self.app = make_app(self.registry, cors_origins=[ORIGIN] if cors else [])
        layer: Any = self.app.build_middleware_stack()
        assert isinstance(layer, SingleLayer)
        self.app.state.timeout = layer.timeout
        self.served = layer if one_layer else layer.app

    async def answer(self, asked: "Asked") -> dict[str, Any]:
        """Serve a request in a task of its own, and return all that can be seen of it."""
        sent: list[Message] = []
        messages = list(asked.messages)
        scope = asked.scope(self.app)
        seen: dict[str, Any] = {"sent": sent, "left": messages}

        async def receive() -> Message:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if len(sent) == asked.sends:
                raise OSError("The client is gone.")
            sent.append({**message, "headers": list(message.get("headers", ()))})

        async def serve() -> None:
            task = asyncio.current_task()
            assert task is not None
            try:
                await self.served(scope, receive, send)
            except BaseException as error:  # noqa: BLE001 - also cancellations are compared
                seen["error"] = (type(error), str(error), repr(error.__cause__))
            seen["cancelling"] = task.cancelling()
            seen["context"] = get_contextvars()

        with captured_logs() as events:
            task = asyncio.create_task(serve())
            await asyncio.wait([task])
        seen["cancelled"] = task.cancelled()
        seen["events"] = [without_traceback(event) for event in events]
        seen["state"] = scope["state"]
        seen["keys"] = sorted(scope)
        seen["metrics"] = metrics_of(self.registry)
        timeout: RequestTimeout = self.app.state.timeout
        seen["running"] = timeout._deadlines is not None and len(timeout._deadlines._running)
        return seen


def metrics_of(registry: CollectorRegistry) -> list[str]:
    """Return the lines of the metrics, without the times at which they were made."""
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]


def without_traceback(event: Any) -> dict[str, Any]:
    """Return an event with the last line of its traceback: the calls in between differ."""
    if "exception" in event:
        return {**event, "exception": event["exception"].splitlines()[-1]}
    return dict(event)


@dataclass(frozen=True)
class Asked:
    """A request; `sends` is how many messages reach the client before it is gone."""

    line: str  # method and path
    headers: tuple[Header, ...] = ()
    messages: tuple[Message, ...] = ({"type": "http.request", "body": b"", "more_body": False},)
    steps: tuple[Any, ...] = ()
    http_version: str = "1.1"
    query: bytes = b""
    root_path: str = ""
    sends: int = 100

    def scope(self, app: FastAPI) -> Scope:
        """Return a new scope."""
        method, path = self.line.split()
        path = self.root_path + path
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self.http_version,
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": self.query,
            "root_path": self.root_path,
            "headers": list(self.headers),
            "client": ("192.0.2.1", 1),
            "server": ("test", 80),
            "state": {},
            "app": app,
            "steps": self.steps,
        }


@pytest.fixture(scope="module")
def make_application() -> Callable[..., FastAPI]:
    """Give what makes an application, from settings."""
    return make_app


@pytest.fixture(scope="module")
def compare() -> Iterator[Callable[..., Awaitable[None]]]:
    """Give what sends a request both ways, and fails where anything that can be seen differs.

    It takes the fields of `Asked`. The ids and the times of both are the same.
    """
    sides = {
        cors: [Side(cors=cors, one_layer=one_layer) for one_layer in (True, False)]
        for cors in (True, False)
    }

    async def compare(request: dict[str, Any], *, cors: bool) -> None:
        one_layer, layers = [await side.answer(Asked(**request)) for side in sides[cors]]
        for seen, expected in layers.items():
            assert one_layer.get(seen) == expected, seen
        assert one_layer.keys() == layers.keys()

    previous = ids.use(bytes)
    with SettableClock():
        yield compare
    ids.use(previous)
