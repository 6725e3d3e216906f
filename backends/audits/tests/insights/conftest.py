"""A server with OpenAI's API that misbehaves as real ones do, and the trail in front of it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from audits.settings import AuditsKey
from bedplate.testing.client import Client, client

MakeApp = Callable[..., FastAPI]


@dataclass
class Provider:
    """The server: each request gets the next of `answers`, the last one again and again.

    An answer is a function that writes to the connection as it likes.
    """

    answers: list[Callable[["Exchange"], Awaitable[None]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    serving: list["asyncio.Task[Any]"] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request and give it its answer."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.append(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path = first.split(" ")[1]
            self.requests.append((path, json.loads(body), headers))
            number = min(len(self.requests), len(self.answers)) - 1
            await self.answers[number](Exchange(path, json.loads(body), writer, self.over))
        writer.close()


@dataclass
class Exchange:
    """One request, and the connection to answer on."""

    path: str
    body: dict[str, Any]
    writer: asyncio.StreamWriter
    over: asyncio.Event
    """Set when the test is."""

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def json(self, status: int, body: Any, **headers: str) -> None:
        """Answer with JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines = [
            f"HTTP/1.1 {status} X",
            "content-type: application/json",
            f"content-length: {len(content)}",
            "connection: close",
            *more,
        ]
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    async def events(self, *events: dict[str, Any]) -> None:
        """Answer with server-sent events."""
        await self.send(
            b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        )
        for event in events:
            await self.send(b"data: " + json.dumps(event).encode() + b"\n\n")


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """Give the server; it listens on a port of this machine."""
    found = Provider()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        found.over.set()
        await asyncio.gather(*found.serving)


@pytest.fixture
async def reading(make_app: MakeApp, provider: Provider) -> AsyncIterator[Client]:
    """Give a client of the trail whose language model is at the provider."""
    app = make_app(
        api_keys=[AuditsKey.parse("boss:admin:a-key")],
        openai_api_key=SecretStr("sk-test"),
        openai_base_url=f"http://127.0.0.1:{provider.port}/v1",
        openai_seconds=3.0,
    )
    async with client(app) as opened:
        opened.headers["X-API-Key"] = "a-key"
        yield opened
