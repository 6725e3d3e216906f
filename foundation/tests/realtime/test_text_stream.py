"""A channel over real WebSockets: what clients hear, and how their streams end."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bedplate.lifecycle import Drain
from bedplate.realtime import (
    EVERYONE,
    ChannelFollower,
    Channels,
    LastEventId,
    Position,
    StreamLimits,
    TextStream,
)
from bedplate.runtime.server import HttpServer


class Served:
    """An application with a channel over WebSockets on a real server."""

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self.drain = Drain()
        self.followers: list[ChannelFollower] = []
        self.server = HttpServer(
            self._application(), socket.create_server(("127.0.0.1", 0)), keep_alive=5
        )

    def _application(self) -> FastAPI:
        app = FastAPI()

        @app.websocket("/ws")
        async def listen(socket: WebSocket, position: LastEventId) -> None:
            limits = StreamLimits(send_seconds=0.5)
            texts = self._texts(position)
            await TextStream(
                socket, texts, drain=self.drain, limits=limits, on_message=answer
            ).serve()

        return app

    async def _texts(self, position: Position | None) -> AsyncGenerator[str, None]:
        async with self.channels.follow("a", "x", position=position) as follower:
            self.followers.append(follower)
            async for messages in follower:
                for text in messages.texts:
                    yield text

    def url(self, query: str = "") -> str:
        """Return where the channel is streamed."""
        return f"ws://127.0.0.1:{self.server.address[1]}/ws{query}"


async def answer(stream: TextStream, text: str) -> None:
    """Answer a message."""
    await stream.send({"event": "answer", "data": text})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells; fail when it takes far too long."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.005)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Give the application on a server, which ends in order."""
    async with Channels(None, namespace="test") as channels:
        served = Served(channels)
        await served.server.start()
        yield served
        served.drain.begin()
        await served.server.stop_listening(last=False)
        async with asyncio.timeout(20):
            await served.server.finish()
        assert channels.followers("a") == 0


async def hear(client: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    async with asyncio.timeout(20):
        message: dict[str, Any] = json.loads(await client.recv())
        return message


async def end_of(client: ClientConnection) -> tuple[dict[str, Any], int | None]:
    """Return the last message, and the code of the close."""
    last: dict[str, Any] = {}
    with contextlib.suppress(ConnectionClosed):
        while True:
            last = await hear(client)
    return last, client.close_code


async def test_a_client_hears_events_and_resumes(served: Served) -> None:
    """Texts have the ids with which a client that comes back gets what it missed."""
    async with connect(served.url()) as client:
        await until(lambda: served.channels.followers("a") == 1)
        served.channels.publish("a", "event", {EVERYONE: b'{"n":1}'})
        first = await hear(client)
        assert first == {"id": first["id"], "event": "event", "data": {"n": 1}}
        await client.send("hello")
        assert await hear(client) == {"event": "answer", "data": "hello"}
    await until(lambda: served.channels.followers("a") == 0)
    served.channels.publish("a", "event", {EVERYONE: b'{"n":2}'})
    async with connect(served.url(f"?last_event_id={first['id']}")) as client:
        assert (await hear(client))["data"] == {"n": 2}


async def test_the_end_of_the_process_ends_the_stream(served: Served) -> None:
    """A client hears why, and the code that lets it reconnect."""
    async with connect(served.url()) as client:
        await until(lambda: served.channels.followers("a") == 1)
        served.drain.begin()
        closing = {"event": "closing", "data": {"reason": "restart"}}
        assert await end_of(client) == (closing, 1012)


async def test_a_replaced_client_hears_it(served: Served) -> None:
    """When its follower is stopped, the reason is the last message, and the close is ordinary."""
    async with connect(served.url()) as client:
        await until(lambda: served.channels.followers("a") == 1)
        served.followers[0].stop("replaced")
        assert await end_of(client) == ({"event": "replaced", "data": {}}, 1000)


async def test_a_stopped_client_is_dropped(served: Served) -> None:
    """One that reads nothing holds up nobody, and is gone when its time is over."""
    async with connect(served.url(), max_queue=1) as stopped, connect(served.url()) as client:
        await until(lambda: served.channels.followers("a") == 2)
        stopped.transport.pause_reading()
        for number in range(200):
            served.channels.publish("a", "event", {EVERYONE: b'"%s"' % (b"x" * 65_536)})
            assert (await hear(client))["id"].endswith(f"-{number + 1}")
        await until(lambda: served.channels.followers("a") == 1)
        stopped.transport.abort()
