"""No body larger than the limit gets in, however it comes."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.asgi import BodyLimit, JSONBounds
from bedplate.asgi.body_limit import _BodyTooLarge
from bedplate.problems import install_problems

LIMIT = 10
CHUNKED = (b"transfer-encoding", b"chunked")
JSON = (b"content-type", b"application/json")


def pieces(*bodies: bytes) -> list[Message]:
    """Return the messages of a body that comes in pieces."""
    return [
        {"type": "http.request", "body": body, "more_body": index < len(bodies)}
        for index, body in enumerate(bodies, 1)
    ]


@pytest.fixture
def app() -> FastAPI:
    """Give an application that reads JSON, and one route that streams."""
    app = FastAPI()
    install_problems(app)
    app.add_middleware(JSONBounds)
    app.add_middleware(BodyLimit, max_bytes=LIMIT)

    @app.post("/json")
    async def post(numbers: list[int]) -> int:
        return len(numbers)

    @app.post("/stream")
    async def stream(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    return app


@pytest.mark.parametrize("length", [b"11", b"1" + b"0" * 5000])
async def test_declared_length(call: Callable[..., Any], length: bytes) -> None:
    """A declared length above the limit is answered 413 before the application is asked."""

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    app = BodyLimit(never, max_bytes=LIMIT)
    exchange = await call(app, headers=[(b"content-length", length)], method="POST")
    assert exchange.status == 413
    assert b"content_too_large" in exchange.body


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        (b"transfer-encoding", b"gzip, chunked", 501),
        (b"content-encoding", b"gzip", 415),
        (b"content-encoding", b"deflate", 415),
        (b"transfer-encoding", b"Chunked", 200),
        (b"content-encoding", b"identity", 200),
    ],
)
async def test_encoded_bodies_are_refused(
    call: Callable[..., Any], app: FastAPI, header: bytes, value: bytes, status: int
) -> None:
    """A body that would have to be decoded first is refused, and 415 says what is taken."""
    exchange = await call(
        app, *pieces(b"[1]"), headers=[JSON, (header, value)], path="/json", method="POST"
    )
    assert exchange.status == status
    says = (b"accept-encoding", b"identity") in exchange.sent[0]["headers"]
    assert says is (status == 415)


@pytest.mark.parametrize("length", [b"-1", b"+5", b"1.5", b"", b"5, 5", b"0x5", "٣".encode()])
async def test_malformed_length(call: Callable[..., Any], app: FastAPI, length: bytes) -> None:
    """A length that is no whole number is answered 400."""
    exchange = await call(app, headers=[(b"content-length", length)], method="POST", path="/json")
    assert exchange.status == 400


async def test_exactly_the_limit(call: Callable[..., Any], app: FastAPI) -> None:
    """A body of exactly the limit is served, declared or not."""
    body = b"[1,2,3,44]"
    assert len(body) == LIMIT
    for headers in ([JSON, (b"content-length", b"10")], [JSON, CHUNKED]):
        exchange = await call(app, *pieces(body), headers=headers, method="POST", path="/json")
        assert (exchange.status, exchange.body) == (200, b"4")


@pytest.mark.parametrize("path", ["/json", "/stream"])
@pytest.mark.parametrize("content_type", [b"application/json", b"text/plain"])
async def test_chunked_overflow(
    call: Callable[..., Any], app: FastAPI, path: str, content_type: bytes
) -> None:
    """A body that grows beyond the limit ends in 413, not in FastAPI's 400 for unreadable ones."""
    headers = [CHUNKED, (b"content-type", content_type)]
    exchange = await call(
        app, *pieces(b"[1,2,", b"3,4,", b"5]"), headers=headers, method="POST", path=path
    )
    assert exchange.status == 413
    assert b"content_too_large" in exchange.body
    assert len(exchange.sent) == 2


async def test_http_2_needs_no_declaration(call: Callable[..., Any], app: FastAPI) -> None:
    """In HTTP/2 a body comes without being declared, and is counted all the same."""
    body = pieces(b"x" * 11)
    exchange = await call(app, *body, method="POST", path="/stream", http_version="2")
    assert exchange.status == 413


async def test_overflow_after_the_response_started(call: Callable[..., Any]) -> None:
    """Once a response has started it can't become another: the error goes on to the server."""

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()

    app: ASGIApp = BodyLimit(early, max_bytes=LIMIT)
    with pytest.raises(_BodyTooLarge):
        await call(app, *pieces(b"x" * 11), headers=[CHUNKED], method="POST")


def test_negative_limit() -> None:
    """A negative limit is refused when it is declared."""
    with pytest.raises(ValueError, match="negative"):
        BodyLimit(FastAPI(), max_bytes=-1)
