"""Requests from a supervisor to the operations application of a worker, over its Unix socket."""

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

import httptools
import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

CLIENT_HEADER = b"bedplate-client"
SERVICE_UNAVAILABLE = 503


class WorkerResponse:
    """A worker's status and body; 503 and no body when it didn't answer."""

    status = SERVICE_UNAVAILABLE
    body = b""
    complete = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body from httptools."""
        self.body += body

    def on_message_complete(self) -> None:
        """Note that httptools has read the whole response."""
        self.complete = True


async def request_worker(
    path: Path, target: bytes, headers: Iterable[tuple[bytes, bytes]], *, seconds: float
) -> WorkerResponse:
    """Return the response of the worker on that socket to `GET target` within that time."""
    lines = (name + b": " + value for name, value in headers)
    head = (b"GET " + target + b" HTTP/1.1", b"host: worker", b"connection: close", *lines)
    response = WorkerResponse()
    parser = httptools.HttpResponseParser(response)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.closing(writer):
                writer.write(b"\r\n".join(head) + b"\r\n\r\n")
                parser.feed_data(await reader.read())
    except (OSError, TimeoutError, httptools.HttpParserError):
        return WorkerResponse()
    response.status = parser.get_status_code()
    return response if response.complete else WorkerResponse()


def forwarded_client(scope: Scope) -> tuple[bytes, bytes]:
    """Return the header that names a request's client to a worker."""
    return CLIENT_HEADER, orjson.dumps(scope.get("client"))


class ForwardedClient:
    """Sets `scope["client"]` to the client that the supervisor names.

    Only for a socket that nobody but the supervisor can reach: the header is trusted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request as if it had come from the client itself."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == CLIENT_HEADER:
                    scope["client"] = orjson.loads(value)
        await self._app(scope, receive, send)
