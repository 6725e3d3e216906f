"""How these tests talk to an ASGI application: through a client, or message by message."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Message, Scope

Connect = Callable[..., httpx2.AsyncClient]


class Exchange:
    """One call of an ASGI application: what it is given, and what it sends."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = list(messages)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """Give the next message, and after the last one that the client has gone."""
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep what is sent."""
        self.sent.append(message)

    @property
    def status(self) -> int:
        """The status of the response."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        """The whole body of the response."""
        return b"".join(message.get("body", b"") for message in self.sent)


async def call(
    app: ASGIApp, *messages: Message, headers: Iterable[tuple[bytes, bytes]] = (), **scope: Any
) -> Exchange:
    """Call an ASGI application with these messages, and return what it sent."""
    exchange = Exchange(messages or [{"type": "http.request", "body": b"", "more_body": False}])
    full: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("192.0.2.1", 1234),
        "server": ("test", 80),
        **scope,
    }
    await app(full, exchange.receive, exchange.send)
    return exchange


@pytest.fixture(name="call")
def _call() -> Callable[..., Any]:
    """Give what calls an ASGI application message by message."""
    return call


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Give what makes a client of an ASGI application."""
    async with AsyncExitStack() as stack:

        def connected(app: ASGIApp) -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app)
            client = httpx2.AsyncClient(transport=transport, base_url="http://test")
            stack.push_async_callback(client.aclose)
            return client

        yield connected
