"""The console over a WebSocket, with a real server and real clients."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bedplate.runtime.listener import bind
from bedplate.runtime.server import HttpServer

SOON = 20.0
KEY = "a" * 40
MONITOR_KEY = "b" * 40
Message = dict[str, Any]


class Served:
    """The API on a port of its own."""

    def __init__(self, port: int, state: dict[str, Any]) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.socket_url = f"ws://127.0.0.1:{port}/console"
        self.state = state

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """Call the API as the admin."""
        async with httpx2.AsyncClient(base_url=self.origin, timeout=SOON) as client:
            sent = await client.request(method, path, headers={"X-API-Key": KEY}, **options)
        assert sent.is_success, sent.text
        return sent.json() if sent.content else None

    @asynccontextmanager
    async def follow(self, query: str = "", **hello: Any) -> AsyncIterator[ClientConnection]:
        """Connect, with a ticket in the query or a hello as the first message."""
        async with connect(f"{self.socket_url}{query}") as socket:
            if hello:
                await socket.send(json.dumps(hello))
            yield socket


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[Served]:
    """Give the API, served by the real server."""
    listener = bind("127.0.0.1", 0)
    server = HttpServer(app, listener, keep_alive=5)
    await server.start()
    try:
        yield Served(server.address[1], server.lifespan.state)
    finally:
        server.lifespan.state["drain"].begin()
        await server.stop_listening(last=True)
        await server.finish()
        await server.lifespan.shutdown()


async def messages(socket: ClientConnection) -> AsyncIterator[Message]:
    """Yield messages until the connection closes."""
    async with asyncio.timeout(SOON):
        async for text in socket:
            yield json.loads(text)


async def first(socket: ClientConnection, wanted: Callable[[Message], bool]) -> Message:
    """Return the first message that is wanted."""
    async for message in messages(socket):
        if wanted(message):
            return message
    raise AssertionError("closed")


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """Return code and reason of the end."""
    async with asyncio.timeout(SOON):
        with contextlib.suppress(ConnectionClosed):
            async for _ in socket:
                pass
        await socket.wait_closed()
    return socket.close_code or 0, socket.close_reason or ""


def items(message: Message) -> list[Message]:
    """Return the lines in a message."""
    found: list[Message] = message["items"] if message["type"] == "items" else []
    return found


async def test_states_and_lines_are_followed(served: Served) -> None:
    """Who follows with a key sees states and lines as the game starts, runs and stops."""
    async with served.follow(key=MONITOR_KEY) as socket:
        both = [json.loads(await socket.recv()) for _ in range(2)]
        greeting = {message["type"]: message for message in both}
        assert greeting["hello"]["run"] == served.state["game"].console.lines.run
        assert greeting["status"]["state"] == "stopped"
        await served.ask("POST", "/server/start")
        states, ready = [], False
        async for message in messages(socket):
            ready |= any("now running on Port" in line["text"] for line in items(message))
            if message["type"] == "status":
                states.append(message["state"])
            if ready and "running" in states:
                break
        assert states == ["starting", "running"]


async def test_a_ticket_opens_one_connection(served: Served) -> None:
    """A ticket works in the query or as the first message, and only once."""
    ticket = (await served.ask("POST", "/console/tickets"))["ticket"]
    async with served.follow(f"?ticket={ticket}&levels=event,Error") as socket:
        await first(socket, lambda message: message["type"] == "hello")
    async with served.follow(ticket=ticket) as socket:
        assert await closing(socket) == (1008, "unauthorized")
    ticket = (await served.ask("POST", "/console/tickets"))["ticket"]
    async with served.follow(ticket=ticket) as socket:
        await first(socket, lambda message: message["type"] == "hello")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"key": "wrong"}), json.dumps({"ticket": "wrong"}), json.dumps({}), "[]", "{",
        json.dumps({"key": KEY, "after": -1}), json.dumps({"key": KEY, "levels": ["a b"]}),
        json.dumps({"key": KEY, "more": 1}), "\ud7ff" * 5000,
    ],
)  # fmt: skip
async def test_strangers_see_nothing(served: Served, text: str) -> None:
    """Without a proof, or with a first message that makes no sense, the connection ends."""
    async with connect(served.socket_url) as socket:
        await socket.send(text)
        code, reason = await closing(socket)
    assert code == 1008
    assert reason in {"unauthorized", "hello_expected"}


async def test_bytes_as_first_message(served: Served) -> None:
    """Bytes are no first message."""
    async with connect(served.socket_url) as socket:
        await socket.send(b"\x00")
        assert await closing(socket) == (1008, "hello_expected")


async def test_pages_of_other_origins_are_refused(served: Served) -> None:
    """A foreign page can't connect; our own and those that the settings name can."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(served.socket_url, origin="https://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    assert b"origin_not_allowed" in refused.value.response.body
    for origin in (served.origin, "http://localhost:3000"):
        async with connect(served.socket_url, origin=origin):  # type: ignore[arg-type]
            pass


async def test_a_connection_is_revoked(served: Served) -> None:
    """The admin sees who is connected, and ends it at once."""
    async with served.follow(key=MONITOR_KEY) as socket:
        await first(socket, lambda message: message["type"] == "hello")
        (shown,) = await served.ask("GET", "/console/connections")
        assert (shown["by"], shown["address"]) == ("monitor", "127.0.0.1")
        await served.ask("DELETE", f"/console/connections/{shown['id']}")
        assert await closing(socket) == (1008, "revoked")
    assert await served.ask("GET", "/console/connections") == []


async def test_a_reconnect_loses_nothing(served: Served) -> None:
    """Who comes back with the last number gets every line in between, none of them twice."""
    seen: list[int] = []
    after = 0
    await served.ask("POST", "/server/start?wait=20")
    last = served.state["game"].console.lines.last
    while len(seen) < last:
        async with served.follow(key=KEY, after=after) as socket:
            message = await first(socket, lambda message: message["type"] == "items")
            seen += [line["number"] for line in items(message)]
            after = message["last"]
    assert seen == list(range(1, len(seen) + 1))


async def test_levels_are_chosen(served: Served) -> None:
    """Only lines of the levels that were named come, and the choice can be changed."""
    await served.ask("POST", "/server/start?wait=20")
    async with served.follow(key=KEY, after=0, levels=["EVENT"]) as socket:
        message = await first(socket, lambda message: message["type"] == "items")
        assert {line["level"] for line in items(message)} == {"Event"}
        await socket.send(json.dumps({"levels": ["Chat"]}))
        await socket.send("nonsense")
        await first(socket, lambda message: message["type"] == "refused")
        for text in ("/time", "hello there"):
            await served.ask("POST", "/console/commands", json={"command": text})
        message = await first(socket, lambda message: message["type"] == "items")
        assert [line["text"] for line in items(message)] == ["0 | Admin: hello there"]


async def test_a_client_that_doesnt_read_holds_nobody_back(served: Served) -> None:
    """With stopped clients, the console is read on, and those who read get every line."""
    console = served.state["game"].console
    async with AsyncExitStack() as stack:
        for _ in range(5):
            stopped = await stack.enter_async_context(served.follow(key=KEY))
            await stopped.recv()
            stopped.transport.pause_reading()
            stack.callback(stopped.transport.abort)
        reader = await stack.enter_async_context(served.follow(key=KEY))
        await first(reader, lambda message: message["type"] == "hello")
        for number in range(1500):
            console.feed(f"5.9.2026 22:08:03 [Server Event] {number} {'x' * 4000}\n".encode())
            if number % 100 == 0:
                await asyncio.sleep(0.03)
        await first(reader, lambda one: any(line["number"] == 1499 for line in items(one)))


async def test_streams_end_when_the_manager_leaves(served: Served) -> None:
    """Everybody is asked to come back, with code 1012, when the process goes away."""
    async with served.follow(key=KEY) as socket:
        await first(socket, lambda message: message["type"] == "hello")
        served.state["drain"].begin()
        assert await closing(socket) == (1012, "restart")
