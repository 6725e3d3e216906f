"""One layer does what the layers do: the same messages, lines, metrics, errors and state."""

import asyncio
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.asgi.single_layer import SingleLayer
from bedplate.problems import NotFound, StatusError
from bedplate.testing.client import client

ORIGIN = "https://app.example.com"
TOO_LARGE = b"x" * 61
Header = tuple[bytes, bytes]


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


def headers(*lines: str) -> list[Header]:
    """Return the headers of these lines."""
    return [(name, value) for name, value in (line.encode().split(b": ") for line in lines)]


FORM = (b"content-type", b"multipart/form-data; boundary=x")
HEADERS = st.lists(
    st.sampled_from(
        [
            FORM,
            *headers(
                "content-type: application/json", "content-type: text/plain",
                "content-type: application/problem+JSON", "content-encoding: identity",
                "content-encoding: gzip", "content-length: 5", "content-length: 61",
                "content-length: +1", "content-length: 99999999999999999999",
                "transfer-encoding: chunked", "transfer-encoding: gzip", f"origin: {ORIGIN}",
                "origin: https://evil.example.com", "access-control-request-method: GET",
                "x-request-id: mine", "x-request-id: second", "x-request-id: not well formed",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "traceparent: wrong", "host: test", "upgrade: h2c", "accept: */*",
            ),
        ]
    ),
    max_size=3,
)  # fmt: skip
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
        TOO_LARGE,
        FILE,
    ]
)


@st.composite
def bodies_in_parts(draw: st.DrawFn) -> tuple[Message, ...]:
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

ANSWERS = headers(
    "content-type: text/plain; charset=utf-8", "content-type: application/json", "vary: Accept",
    "vary: *", "Vary: Cookie", "x-request-id: own", 'etag: "1"',
)  # fmt: skip
STARTS = st.fixed_dictionaries(
    {
        "type": st.just("http.response.start"),
        "status": st.sampled_from([200, 204, 304, 404, 413, 500]),
    },
    optional={"headers": st.lists(st.sampled_from(ANSWERS), max_size=3)},
)
BODY_PARTS = st.fixed_dictionaries(
    {"type": st.just("http.response.body"), "body": st.sampled_from([b"", b"abc"])},
    optional={"more_body": st.booleans()},
)
OTHERS = st.sampled_from(["http.response.debug", "http.response.pathsend", "http.response.other"])
PROGRAMS = st.lists(
    st.one_of(
        STARTS,
        BODY_PARTS,
        st.fixed_dictionaries({"type": OTHERS}),
        st.tuples(st.just("fail"), ERRORS),
        st.tuples(st.just("push"), st.none() | ERRORS),
        st.just(("set", "principal_id", "user:7")),
        st.just(("set", "response_headers", [(b"x-extra", b"1")])),
        st.tuples(st.sampled_from(["read", "expire", "cancel", "wait", "wait stubbornly"])),
    ),
    max_size=6,
).map(tuple)
LINES = """
    GET /notes/7, GET /notes/x, GET /notes/404, GET /notes/409, GET /notes/500, GET /nowhere,
    GET /healthz, GET /metrics, GET /streams/0, GET /streams/1, GET /sync, GET /failing-later,
    DELETE /later, DELETE /notes/7, HEAD /notes/7, OPTIONS /notes, BREW /notes, POST /notes,
    PUT /notes, PATCH /notes, POST /upload, POST /upload/, POST /small, POST /any, POST /files
"""
PATHS = st.sampled_from([line.strip() for line in LINES.split(",")])
PROGRAM = st.sampled_from(["GET /program", "POST /program", "HEAD /program", "QUERY /program"])


def requests(lines: Any, steps: Any = st.just(())) -> st.SearchStrategy[dict[str, Any]]:  # noqa: B008
    """Return the strategy of requests with these methods and paths."""
    return st.fixed_dictionaries(
        {
            "line": lines,
            "headers": HEADERS,
            "messages": bodies_in_parts(),
            "steps": steps,
            "http_version": st.sampled_from(["1.1", "1.1", "1.1", "1.0", "2"]),
            "query": st.sampled_from([b"", b"a=1", b"a=%ff"]),
            "root_path": st.sampled_from(["", "", "/root"]),
            "sends": st.sampled_from([100, 100, 100, 0, 1, 2]),
        }
    )


PROPERTY = settings(max_examples=200)
OK = {"type": "http.response.start", "status": 200, "headers": []}
HALF = {"type": "http.request", "body": FILE[:50], "more_body": True}


@PROPERTY
@given(requests(PATHS), st.booleans())
@example({"line": "GET /streams/1"}, True)
@example({"line": "POST /files", "headers": [FORM], "messages": [HALF]}, True)
async def test_backends_cannot_tell_it_from_the_layers(
    compare: Any, request: dict[str, Any], cors: bool
) -> None:
    """Whatever is asked of FastAPI's routes, all that can be seen from outside is the same."""
    await compare(request, cors=cors)


@PROPERTY
@given(requests(PROGRAM, PROGRAMS), st.booleans())
@example({"line": "GET /program", "steps": (("expire",), ("wait",))}, True)
@example({"line": "GET /program", "steps": (OK, ("expire",), ("wait",))}, True)
@example({"line": "GET /program", "steps": (("cancel",), ("wait",))}, True)
@example({"line": "GET /program", "steps": (("expire",), ("cancel",), ("wait",))}, True)
@example({"line": "GET /program", "steps": (("expire",), ("wait stubbornly",), OK)}, True)
async def test_applications_cannot_tell_it_from_the_layers(
    compare: Any, request: dict[str, Any], cors: bool
) -> None:
    """Whatever an ASGI application sends, raises or waits for, the same comes of it."""
    await compare(request, cors=cors)


async def test_a_middleware_of_a_user_s_own_stays_in_its_place(make_application: Any) -> None:
    """What is added to the application runs for every request, inside the layers that log."""
    app = make_application()
    app.add_middleware(Own)
    assert not isinstance(app.build_middleware_stack(), SingleLayer)
    async with client(app) as api:
        response = await api.get("/notes/7")
    names = [name for name, _ in response.headers.multi_items()]
    assert names.index("x-own") < names.index("x-request-id")


@pytest.mark.parametrize("switch", [True, False])
def test_one_switch_turns_it_off(make_application: Any, switch: bool) -> None:
    """Without compiled routes every request goes through the layers."""
    stack = make_application(compiled_routes=switch).build_middleware_stack()
    assert isinstance(stack, SingleLayer) is switch


def test_a_limit_of_fastapi_s_own_is_a_layer_that_it_does_not_know(make_application: Any) -> None:
    """An application whose bodies FastAPI limits is served by the layers."""
    app = make_application()
    app.max_body_size = 5
    assert not isinstance(app.build_middleware_stack(), SingleLayer)


async def test_mounted_in_an_application_that_limits_bodies(make_application: Any) -> None:
    """The outer limit is answered as it is without the one layer."""
    responses = []
    for switch in (True, False):
        outer = FastAPI(max_body_size=5, telemetry={"auto_configure": False})
        outer.mount("/inner", make_application(compiled_routes=switch))
        async with client(outer) as api:
            response = await api.post("/inner/any", content=b"x" * 10)
        responses.append((response.status_code, response.headers["content-type"], response.content))
    assert responses[0] == responses[1]
    assert responses[0][0] == 413
