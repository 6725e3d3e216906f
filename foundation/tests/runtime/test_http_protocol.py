"""Bare bytes on a connection: every answer is HTTP, and nothing holds a connection for ever."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute, request_response
from starlette.websockets import WebSocket

from bedplate.asgi import AccessLog, RequestTimeout
from bedplate.runtime import http_protocol
from bedplate.runtime.http_protocol import MAX_HEAD_BYTES
from bedplate.runtime.listener import bind
from bedplate.runtime.server import HttpServer

Events = list[dict[str, Any]]
POST = b"POST /echo HTTP/1.1\r\nhost: x\r\n"
HANDSHAKE = (
    b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
BAD = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(100),
    "unknown method": b"BREW / HTTP/1.1\r\nhost: x\r\n\r\n",
    "unescaped path": b"GET /t\xc3\xa4sks HTTP/1.1\r\nhost: x\r\n\r\n",
    "two framings": POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    "bad chunk": POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
}


class Answer(NamedTuple):
    """A response as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def is_problem(self, status: int, code: str, logged: Events) -> bool:
        """Whether it is a problem document whose request id stands in header, body and log."""
        problem = json.loads(self.body)
        [line] = [line for line in logged if line.get("problem") == code]
        ids = {problem["request_id"], self.headers["x-request-id"], line["request_id"]}
        statuses = {problem["status"], self.status, line["status"]}
        return len(ids) == 1 and statuses == {status} and problem["code"] == code


class Client:
    """A connection that sends and reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, sent: bytes) -> None:
        """Send bytes."""
        self._writer.write(sent)

    async def answer(self) -> Answer:
        """Return the next response; one that never comes fails the test."""
        async with asyncio.timeout(10):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(head[0].split()[1]), headers, body)

    def closed(self) -> bool:
        """Whether the server has closed or reset the connection, so that nothing can be sent."""
        return self._writer.is_closing() or self._reader.exception() is not None

    async def end(self) -> bytes:
        """Return what comes until the server closes."""
        async with asyncio.timeout(10):
            return await self._reader.read()


async def echo(request: Request) -> Response:
    """Answer with the body."""
    return Response(await request.body())


async def echo_late(request: Request) -> Response:
    """Answer with the body, which is read after a while."""
    await asyncio.sleep(0.3)
    return Response(await request.body())


async def refuse(socket: WebSocket) -> None:
    """Refuse a WebSocket."""
    await socket.close()


@pytest.fixture
def log_levels() -> Iterator[None]:
    """Put the levels of uvicorn's loggers back, which it sets for the whole process."""
    loggers = [logging.getLogger(f"uvicorn.{name}") for name in ("error", "access", "asgi")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
async def server(log_levels: None) -> AsyncIterator[HttpServer]:
    """A server in this process."""
    routes = [
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/late", echo_late, methods=["POST"]),
        Route("/too-slow", RequestTimeout(request_response(echo), seconds=0.1)),
        WebSocketRoute("/refused", refuse),
    ]
    app = AccessLog(Starlette(routes=routes), backend="notes")
    server = HttpServer(app, bind("127.0.0.1", 0), keep_alive=5)
    await server.start()
    yield server
    await server.stop_listening(last=False)
    await server.cut()
    await server.lifespan.shutdown()


@pytest.fixture
def port(server: HttpServer) -> int:
    """The port of the server."""
    port: int = server.address[1]
    return port


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """Connect, and disconnect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Client(reader, writer)
    writer.close()


@pytest.fixture
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a head be late soon."""
    monkeypatch.setattr(http_protocol, "MAX_HEAD_SECONDS", 0.01)


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
async def test_what_is_no_request_gets_a_problem(
    sent: bytes, port: int, captured_logs: Events
) -> None:
    """Bytes that are no HTTP request are answered 400 with a problem document, and closed."""
    async with connected(port) as client:
        client.send(sent)
        answer = await client.answer()
        assert await client.end() == b""
    assert answer.is_problem(400, "malformed_request", captured_logs)


@pytest.mark.parametrize("hosts", [b"", b"host: a.example\r\nhost: b.example\r\n"])
@pytest.mark.parametrize("head", [POST + b"content-length: 2\r\n", HANDSHAKE % b"/refused"])
async def test_no_host_or_two_is_refused(
    hosts: bytes, head: bytes, port: int, captured_logs: Events
) -> None:
    """HTTP/1.1 without Host or with two is answered 400, a WebSocket's handshake as well."""
    async with connected(port) as client:
        client.send(head.replace(b"host: x\r\n", hosts) + b"\r\n{}")
        answer = await client.answer()
        assert await client.end() == b""
    assert answer.is_problem(400, "malformed_request", captured_logs)
    assert "Host" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    ("hosts", "status"), [(b"", 200), (b"host: x\r\n", 200), (b"host: x\r\nhost: x\r\n", 400)]
)
async def test_older_http_needs_no_host(hosts: bytes, status: int, port: int) -> None:
    """HTTP/1.0 is served without Host, and refused with two."""
    async with connected(port) as client:
        client.send(b"GET /echo HTTP/1.0\r\n" + hosts + b"\r\n")
        assert (await client.answer()).status == status


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nx: ",
        POST + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx: ",
    ],
    ids=["path", "header", "trailer"],
)
async def test_endless_head_is_refused(begin: bytes, port: int, captured_logs: Events) -> None:
    """A path, a header or a trailer without an end is refused, and not kept without a bound."""
    async with connected(port) as client:
        client.send(begin)
        await asyncio.sleep(0.02)  # so that it is read by itself
        client.send(b"x" * (MAX_HEAD_BYTES + 1))
        assert (await client.answer()).is_problem(431, "request_head_too_large", captured_logs)
        assert await client.end() == b""


async def test_largest_head_passes(port: int) -> None:
    """A head just below the limit is served, and so is a body far larger than it."""
    body = b"x" * (4 * MAX_HEAD_BYTES)
    async with connected(port) as client:
        client.send(POST + b"x: " + b"x" * (MAX_HEAD_BYTES - 200) + b"\r\n")
        client.send(b"content-length: %d\r\n\r\n" % len(body) + body)
        assert (await client.answer()).body == body


@pytest.mark.usefixtures("short_times")
async def test_late_head_is_refused(port: int, captured_logs: Events) -> None:
    """Who begins a head and doesn't end it is answered 408 in time, and closed."""
    async with connected(port) as client:
        client.send(b"GET /echo HTTP/1.1\r\n")
        assert (await client.answer()).is_problem(408, "request_head_timeout", captured_logs)
        assert await client.end() == b""


@pytest.fixture
def short_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a body stall soon when the server drains."""
    monkeypatch.setattr(http_protocol, "DRAIN_BODY_SECONDS", 0.1)


@pytest.mark.usefixtures("short_drain")
@pytest.mark.parametrize("drop", [b"", b"x"], ids=["nothing", "drops"])
async def test_stalled_body_does_not_hold_a_drain(
    drop: bytes, server: HttpServer, port: int, captured_logs: Events
) -> None:
    """A body of which too little arrives is refused when the server drains, which then ends."""
    async with connected(port) as client:
        client.send(POST + b"content-length: 100000\r\n\r\nab")
        await asyncio.sleep(0.05)
        finishing = asyncio.ensure_future(server.finish())
        async with asyncio.timeout(5):
            while not finishing.done():
                client.send(drop)
                await asyncio.sleep(0.02)
        assert (await client.answer()).is_problem(408, "request_body_timeout", captured_logs)


@pytest.mark.usefixtures("short_drain")
@pytest.mark.parametrize("expects", [b"", b"expect: 100-continue\r\n"])
async def test_body_that_nobody_reads_yet_does_not_stall(
    expects: bytes, server: HttpServer, port: int
) -> None:
    """A client whose body waits for the application, or for its 100, is served in a drain."""
    body = b"x" * 200_000
    async with connected(port) as client:
        client.send(b"POST /late HTTP/1.1\r\nhost: x\r\n" + expects)
        client.send(b"content-length: %d\r\n\r\n" % len(body) + (b"" if expects else body))
        await asyncio.sleep(0.05)
        finishing = asyncio.ensure_future(server.finish())
        if expects:
            assert (await client.answer()).status == 100
            client.send(body)
        assert (await client.answer()).body == body
        await finishing


@pytest.mark.usefixtures("short_times")
async def test_slow_body_is_no_late_head(port: int) -> None:
    """The time of a head is over when it is complete: a body may pause."""
    async with connected(port) as client:
        client.send(POST + b"transfer-encoding: chunked\r\n\r\n2\r\n")
        await asyncio.sleep(0.05)
        client.send(b"ab\r\n0\r\n\r\n")
        assert (await client.answer()).body == b"ab"


@pytest.fixture
def short_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the rest of a body for a moment only."""
    monkeypatch.setattr(http_protocol, "LINGER_SECONDS", 0.2)


@pytest.mark.usefixtures("short_linger")
@pytest.mark.parametrize(("path", "status"), [(b"/refused-early", 404), (b"/too-slow", 504)])
@pytest.mark.parametrize(
    "framing",
    [b"content-length: 100000000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n5\r\nhe"],
)
async def test_dripping_rest_of_a_body_ends_the_connection(
    framing: bytes, path: bytes, status: int, port: int
) -> None:
    """A body that goes on after a 404 or a 504 is bounded in time, however often a byte comes."""
    async with connected(port) as client:
        client.send(b"POST %b HTTP/1.1\r\nhost: x\r\n" % path + framing)
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        async with asyncio.timeout(5):
            while not client.closed():
                client.send(b"l")
                await asyncio.sleep(0.02)


async def test_endless_rest_of_a_body_ends_the_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that goes on after an early answer is bounded in bytes."""
    monkeypatch.setattr(http_protocol, "LINGER_BYTES", 256 * 1024)
    async with connected(port) as client:
        client.send(
            b"POST /refused-early HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999999\r\n\r\n"
        )
        assert (await client.answer()).status == 404
        async with asyncio.timeout(4):  # less than LINGER_SECONDS
            while not client.closed():
                client.send(bytes(64 * 1024))
                await asyncio.sleep(0.005)


async def test_early_answer_is_followed_by_the_end(port: int) -> None:
    """A client that waits for the end of the connection after an early answer gets it at once."""
    async with connected(port) as client:
        client.send(b"POST /refused-early HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        assert (await client.answer()).status == 404
        async with asyncio.timeout(2):
            assert await client.end() == b""


async def test_body_in_parts_keeps_the_connection(port: int) -> None:
    """A body that arrives in several reads, and is read to its end, leaves the connection open."""
    async with connected(port) as client:
        for _ in range(2):
            client.send(POST + b"content-length: 4\r\n\r\nhi")
            await asyncio.sleep(0.05)
            client.send(b"ho")
            answer = await client.answer()
            assert (answer.status, answer.body) == (200, b"hiho")
            assert "connection" not in answer.headers


async def test_earlier_answer_comes_whole(port: int) -> None:
    """Garbage behind a request doesn't replace its answer, which is the last of the connection."""
    async with connected(port) as client:
        client.send(POST + b"content-length: 2\r\n\r\nab" + b"garbage\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.body) == (200, b"ab")
        assert answer.headers["connection"] == "close"
        assert await client.end() == b""


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
@pytest.mark.parametrize(
    "framing", [b"content-length: 2\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"]
)
async def test_upgrade_with_a_body_is_ignored(upgrade: bytes, framing: bytes, port: int) -> None:
    """A POST that offers an upgrade is served with its body, as is the next on its connection."""
    body = b"2\r\nab\r\n0\r\n\r\n" if b"chunked" in framing else b"ab"
    offer = b"connection: upgrade\r\nupgrade: " + upgrade + b"\r\n"
    async with connected(port) as client:
        for rest in (body, body):
            client.send(POST + offer + framing + rest[:1])
            await asyncio.sleep(0)
            client.send(rest[1:])
            answer = await client.answer()
            assert (answer.status, answer.body) == (200, b"ab")
        client.send(POST + b"content-length: 0\r\n\r\n")
        assert (await client.answer()).status == 200


async def test_many_offers_of_an_upgrade_in_one_read_are_ignored(port: int) -> None:
    """As many pipelined requests as a read holds may offer an upgrade: each is answered."""
    offer = b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n"
    async with connected(port) as client:
        client.send((POST + offer) * 2000)
        for _ in range(2000):
            assert (await client.answer()).status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"key: dGhl", b"key: "),
        (b"version: 13", b"version: 8"),
        (b"host: x", b"host: x\r\ncookie: " + b"x" * 9000),
    ],
    ids=["key", "version", "long line"],
)
async def test_no_handshake(old: bytes, new: bytes, port: int, captured_logs: Events) -> None:
    """A handshake that is none, or that is too long to read, is answered with a problem."""
    async with connected(port) as client:
        client.send(HANDSHAKE.replace(old, new) % b"/refused" + b"\r\n")
        assert (await client.answer()).is_problem(400, "malformed_handshake", captured_logs)
        assert await client.end() == b""


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [(b"/refused", 403, "forbidden"), (b"/nowhere", 404, "not_found")],
)
async def test_refused_websocket(
    path: bytes, status: int, code: str, port: int, captured_logs: Events
) -> None:
    """A WebSocket that is closed before it was accepted gets a problem document."""
    async with connected(port) as client:
        client.send(HANDSHAKE % path + b"\r\n")
        answer = await client.answer()
        assert await client.end() == b""
    [line] = captured_logs
    problem = json.loads(answer.body)
    assert {problem["request_id"], answer.headers["x-request-id"]} == {line["request_id"]}
    assert (answer.status, problem["code"], line["status"]) == (status, code, status)
