"""One layer does what the layers do: the same messages, lines, metrics, errors and state."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import pytest
import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, UploadFile
from fastapi.responses import PlainTextResponse, StreamingResponse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from bedplate import ids
from bedplate.application import create_app
from bedplate.asgi.single_layer import SingleLayer
from bedplate.asgi.timeout import RequestTimeout
from bedplate.backend import Backend, Upload
from bedplate.problems import NotFound, StatusError
from bedplate.settings import Settings
from bedplate.testing.clock import SettableClock
from bedplate.testing.logs import captured_logs

ORIGIN = "https://app.example.com"
MAX_BODY = 60
Step = tuple[Any, ...]
Header = tuple[bytes, bytes]


class Note(BaseModel):
    """A body."""

    title: str
    tags: list[Any] = []


class Program:
    """An ASGI application that does what the test tells it, step by step."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do the steps."""
        for step in scope["steps"]:
            await self._do(step, scope, receive, send)

    async def _do(self, step: Step, scope: Scope, receive: Receive, send: Send) -> None:
        match step:
            case ("start", status, headers):
                await send(
                    {"type": "http.response.start", "status": status, "headers": list(headers)}
                )
            case ("start without headers",):
                await send({"type": "http.response.start", "status": 200})
            case ("body", body, more_body):
                await send({"type": "http.response.body", "body": body, "more_body": more_body})
            case ("send", kind):
                await send({"type": kind, "path": "/a", "headers": []})
            case ("read",):
                message = await receive()
                structlog.get_logger("program").info("read", message=message)
            case ("raise", make_error):
                raise make_error()
            case ("state", name, value):
                scope["state"][name] = value
            case ("expire",):
                expire(scope["app"])
            case ("cancel",):
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            case ("wait",):
                await asyncio.sleep(0)
            case ("wait stubbornly",):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
            case ("exit", make_error):
                scope["fastapi_middleware_astack"].callback(closing, make_error)
            case _:
                raise NotImplementedError(step)


def closing(make_error: Callable[[], Exception] | None) -> None:
    """Log that an exit stack ends; with an error, fail."""
    structlog.get_logger("program").info("closing")
    if make_error is not None:
        raise make_error()


def expire(app: FastAPI) -> None:
    """Let the time of all running requests be over, as the timer does."""
    timeout: RequestTimeout = app.state.timeout
    deadlines = timeout._deadlines
    assert deadlines is not None
    for deadline in list(deadlines._running):
        del deadlines._running[deadline]
        deadline.expire()


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
    uploads=[Upload(path="/upload", max_bytes=1000, seconds=3600)],
)


def make_app(*, cors: bool, own: bool = False) -> FastAPI:
    """Return an application that serves common requests in one layer; `own`: with a middleware."""
    values = {"cors_origins": [ORIGIN]} if cors else {}
    limits = Settings.load(
        _env_file=None,
        max_body_bytes=MAX_BODY,
        max_json_depth=3,
        max_json_members=4,
        request_timeout_seconds=3600,
        **values,
    )
    app = create_app(BACKEND, limits, registry=CollectorRegistry())
    if own:
        app.add_middleware(Own)
    return app


class Own:
    """A middleware of a user's own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add a header."""

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-own", b"1")]
            await send(message)

        await self.app(scope, receive, send_more)


class Side:
    """An application, with its own registry, and the layer or the stack that serves it."""

    def __init__(self, *, cors: bool, one_layer: bool) -> None:
        self.registry = CollectorRegistry()
        values = {"cors_origins": [ORIGIN]} if cors else {}
        limits = Settings.load(
            _env_file=None,
            max_body_bytes=MAX_BODY,
            max_json_depth=3,
            max_json_members=4,
            request_timeout_seconds=3600,
            **values,
        )
        self.app = create_app(BACKEND, limits, registry=self.registry)
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

    method: str = "GET"
    path: str = "/notes/7"
    headers: tuple[Header, ...] = ()
    messages: tuple[Message, ...] = ({"type": "http.request", "body": b"", "more_body": False},)
    steps: tuple[Step, ...] = ()
    http_version: str = "1.1"
    query: bytes = b""
    root_path: str = ""
    sends: int = 100

    def scope(self, app: FastAPI) -> Scope:
        """Return a new scope."""
        path = self.root_path + self.path
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self.http_version,
            "method": self.method,
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


JSON = (b"content-type", b"application/json")
FORM = (b"content-type", b"multipart/form-data; boundary=x")
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HEADERS = st.lists(
    st.sampled_from(
        [
            JSON,
            FORM,
            (b"content-type", b"text/plain"),
            (b"content-type", b"application/problem+JSON"),
            (b"content-length", b"5"),
            (b"content-length", b"61"),
            (b"content-length", b"+1"),
            (b"content-length", b"9" * 30),
            (b"transfer-encoding", b"chunked"),
            (b"transfer-encoding", b"gzip"),
            (b"content-encoding", b"identity"),
            (b"content-encoding", b"gzip"),
            (b"origin", ORIGIN.encode()),
            (b"origin", b"https://evil.example.com"),
            (b"access-control-request-method", b"GET"),
            (b"x-request-id", b"mine"),
            (b"x-request-id", b"not well formed"),
            (b"x-request-id", b"second"),
            (b"traceparent", TRACE),
            (b"traceparent", b"wrong"),
            (b"host", b"test"),
            (b"upgrade", b"h2c"),
            (b"accept", b"*/*"),
            (b"range", b"bytes=0-1"),
        ]
    ),
    max_size=4,
)
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
BODIES = st.sampled_from(
    [
        b"",
        b'{"title":"t"}',
        b'{"title":7}',
        b'{"title":"t","tags":[[[[1]]]]}',
        b'{"title":"t","tags":[{"a":1,"b":2,"c":3,"d":4}]}',
        b'{"title":NaN}',
        b'{"title":"\\ud800"}',
        b'{"title":"\0"}',
        b"{",
        b"\xff",
        b"x" * (MAX_BODY + 1),
        FILE,
    ]
)


@st.composite
def requests_messages(draw: st.DrawFn) -> tuple[Message, ...]:
    """Return the messages of a body, in one or more pieces; perhaps the client leaves."""
    body, at = draw(BODIES), draw(st.integers(0, 5))
    pieces = [body[:at], body[at:]] if draw(st.booleans()) else [body]
    messages = [
        {"type": "http.request", "body": piece, "more_body": index < len(pieces)}
        for index, piece in enumerate(pieces, 1)
    ]
    if draw(st.integers(0, 4)) == 0:
        messages[-1]["more_body"] = True
        messages.append({"type": "http.disconnect"})
    return tuple(messages)


ERRORS = st.sampled_from(
    [
        partial(RuntimeError, "kaboom"),
        partial(NotFound, "There is none."),
        partial(StatusError, 429, "Slowly.", headers={"Retry-After": "1"}),
        partial(HTTPException, 304),
        partial(HTTPException, 405),
        ClientDisconnect,
        partial(OSError, "no"),
        partial(TimeoutError, "own"),
        partial(ExceptionGroup, "several", [RuntimeError("a")]),
        asyncio.CancelledError,
        partial(UnicodeDecodeError, "utf-8", b"x", 0, 1, "no"),
    ]
)
"""What makes an error; one that was raised before remembers it."""

ANSWERED = st.lists(
    st.sampled_from(
        [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-type", b"application/json"),
            (b"vary", b"Accept"),
            (b"vary", b"*"),
            (b"Vary", b"Cookie"),
            (b"x-request-id", b"own"),
            (b"etag", b'"1"'),
        ]
    ),
    max_size=3,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from([200, 204, 304, 404, 413, 500]), ANSWERED),
        st.tuples(st.just("body"), st.sampled_from([b"", b"abc"]), st.booleans()),
        st.tuples(
            st.just("send"),
            st.sampled_from(["http.response.debug", "http.response.pathsend", "http.response.x"]),
        ),
        st.tuples(st.just("raise"), ERRORS),
        st.tuples(st.just("state"), st.just("principal_id"), st.just("user:7")),
        st.tuples(st.just("state"), st.just("response_headers"), st.just([(b"x-extra", b"1")])),
        st.tuples(st.just("exit"), st.none() | ERRORS),
        st.tuples(
            st.sampled_from(
                ["start without headers", "read", "expire", "cancel", "wait", "wait stubbornly"]
            )
        ),
    ),
    max_size=6,
)
PATHS = st.sampled_from(
    [
        ("GET", "/notes/7"),
        ("GET", "/notes/x"),
        ("GET", "/notes/404"),
        ("GET", "/notes/409"),
        ("GET", "/notes/500"),
        ("GET", "/nowhere"),
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("GET", "/streams/0"),
        ("GET", "/streams/1"),
        ("GET", "/sync"),
        ("GET", "/failing-later"),
        ("DELETE", "/later"),
        ("DELETE", "/notes/7"),
        ("HEAD", "/notes/7"),
        ("OPTIONS", "/notes"),
        ("BREW", "/notes"),
        ("POST", "/notes"),
        ("PUT", "/notes"),
        ("PATCH", "/notes"),
        ("POST", "/upload"),
        ("POST", "/upload/"),
        ("POST", "/small"),
        ("POST", "/any"),
        ("POST", "/files"),
    ]
)
PROGRAMS = st.tuples(st.sampled_from(["GET", "POST", "HEAD", "QUERY"]), st.just("/program"))


def asked(paths: st.SearchStrategy[Any], steps: st.SearchStrategy[Any]) -> Any:
    """Return the strategy of requests for these paths."""
    return st.builds(
        lambda line, **rest: Asked(method=line[0], path=line[1], **rest),
        paths,
        headers=HEADERS.map(tuple),
        messages=requests_messages(),
        steps=steps,
        http_version=st.sampled_from(["1.1", "1.1", "1.1", "1.0", "2"]),
        query=st.sampled_from([b"", b"a=1", b"a=%ff"]),
        root_path=st.sampled_from(["", "", "/root"]),
        sends=st.sampled_from([100, 100, 100, 0, 1, 2]),
    )


@pytest.fixture(scope="module", autouse=True)
def _same_ids_and_time() -> Iterator[None]:
    """Let ids and times of both sides be the same."""
    previous = ids.use(bytes)
    with SettableClock():
        yield
    ids.use(previous)


SIDES = {
    cors: [Side(cors=cors, one_layer=one_layer) for one_layer in (True, False)]
    for cors in (True, False)
}


async def compare(asked: Asked, *, cors: bool) -> None:
    """Send a request through the one layer and through the layers."""
    one_layer, stack = [await side.answer(asked) for side in SIDES[cors]]
    for seen, expected in stack.items():
        assert one_layer.get(seen) == expected, seen
    assert one_layer.keys() == stack.keys()


PROPERTY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PROPERTY
@given(asked(PATHS, st.just(())), st.booleans())
@example(Asked(path="/streams/1"), True)
@example(
    Asked(
        method="POST",
        path="/files",
        headers=(FORM,),
        messages=({"type": "http.request", "body": FILE[:50], "more_body": True},),
    ),
    True,
)
async def test_backends_cannot_tell_it_from_the_layers(asked: Asked, cors: bool) -> None:
    """Whatever is asked of FastAPI's routes, all that can be seen from outside is the same."""
    await compare(asked, cors=cors)


@PROPERTY
@given(asked(PROGRAMS, STEPS.map(tuple)), st.booleans())
@example(Asked(path="/program", steps=(("expire",), ("wait",))), True)
@example(Asked(path="/program", steps=(("start", 200, []), ("expire",), ("wait",))), True)
@example(Asked(path="/program", steps=(("cancel",), ("wait",))), True)
@example(Asked(path="/program", steps=(("expire",), ("cancel",), ("wait",))), True)
@example(
    Asked(path="/program", steps=(("expire",), ("wait stubbornly",), ("start", 200, []))), True
)
async def test_applications_cannot_tell_it_from_the_layers(asked: Asked, cors: bool) -> None:
    """Whatever an ASGI application sends, raises or waits for, the same comes of it."""
    await compare(asked, cors=cors)
