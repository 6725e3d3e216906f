"""A broadcast over real WebSockets: how streams end, and clients that misbehave."""

import asyncio
import contextlib
import json
import runpy
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bedplate.lifecycle import Drain
from bedplate.realtime import Broadcast, Numbered, Stream, StreamLimits
from bedplate.runtime.server import HttpServer

LIMITS = StreamLimits(message_characters=100, messages=5, seconds=600, waiting=3, send_seconds=0.5)


class Served:
    """A plain FastAPI application on a real server, and what its streams hang on."""

    def __init__(self) -> None:
        self.row = Broadcast(1_000, encode, interval_seconds=0.001)
        self.drain = Drain()
        self.revoked = asyncio.Event()
        self.busy = asyncio.Event()
        self.go_on = asyncio.Event()
        self.streams: list[Stream[str]] = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.server = HttpServer(self._application(), listener, keep_alive=5)

    def _application(self) -> FastAPI:
        app = FastAPI()
        app.add_api_websocket_route("/row", self._serve)
        return app

    async def _serve(self, websocket: WebSocket, after: int | None = None) -> None:
        stream = Stream(
            websocket,
            self.row,
            drain=self.drain,
            revoked=self.revoked,
            on_message=self._answer,
            limits=LIMITS,
        )
        self.streams.append(stream)
        await stream.serve(after, run=websocket.query_params.get("run"))

    async def _answer(self, stream: Stream[str], text: str) -> None:
        if text == "wait":
            self.busy.set()
            await self.go_on.wait()
        if text == "fail":
            raise LookupError("broken")
        if text == "short":
            stream.filter(is_short)
        await stream.send({"type": "answer", "text": text})

    def url(self, query: str = "") -> str:
        """Return where the row is streamed."""
        return f"ws://127.0.0.1:{self.server.address[1]}/row?{query}"

    async def followers(self, wanted: int) -> None:
        """Wait until so many follow."""
        await until(lambda: self.row.followers == wanted)


def encode(entry: Numbered[str]) -> str:
    """Return the JSON of an item."""
    return json.dumps({"number": entry.number, "text": entry.item})


def is_short(text: str) -> bool:
    """Whether a text has one character."""
    return len(text) == 1


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells; fail when it takes far too long."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.005)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Give the application on a server."""
    served = Served()
    await served.server.start()
    yield served
    served.drain.begin()
    await served.server.stop_listening(last=False)
    async with asyncio.timeout(20):
        await served.server.finish()


async def hear(client: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of that type."""
    async with asyncio.timeout(20):
        while True:
            message: dict[str, Any] = json.loads(await client.recv())
            if message["type"] == kind:
                return message


async def hear_until(client: ClientConnection, number: int) -> list[int]:
    """Return the numbers of the items up to that one."""
    numbers: list[int] = []
    while not numbers or numbers[-1] < number:
        numbers += [item["number"] for item in (await hear(client, "items"))["items"]]
    return numbers


async def end_of(client: ClientConnection) -> tuple[str | None, int, str]:
    """Return the reason of the last message, if it is one, and the code and reason of the close."""
    last: dict[str, Any] = {}
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionClosed):
            while True:
                last = json.loads(await client.recv())
    assert client.close_code is not None
    return last.get("reason"), client.close_code, client.close_reason or ""


@contextlib.asynccontextmanager
async def stopped(served: Served) -> AsyncIterator[socket.socket]:
    """Give a client that upgraded and reads nothing any more; what it can take is little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    before = served.row.followers
    with client:
        await loop.sock_connect(client, served.server.address)
        head = (
            "GET /row HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n"
        )
        await loop.sock_sendall(client, head.encode())
        await served.followers(before + 1)
        yield client


async def flood(served: Served, megabytes: int) -> None:
    """Publish more than any buffer between server and client takes."""
    for _ in range(megabytes * 16):
        served.row.publish("x" * 65_536)
        await asyncio.sleep(0.002)


async def test_who_reconnects_goes_on_where_the_last_frame_ended(served: Served) -> None:
    """`run` and `last` of what was heard are all that a client needs to lose nothing."""
    async with connect(served.url()) as client:
        hello = await hear(client, "hello")
        assert hello == {"type": "hello", "run": served.row.run, "first": 1, "last": 0}
        for number in range(1, 11):
            assert served.row.publish(f"item {number}") == number
        assert await hear_until(client, 10) == list(range(1, 11))
    served.row.publish("missed")
    async with connect(served.url(f"after=10&run={hello['run']}")) as client:
        served.row.publish("live")
        assert await hear_until(client, 12) == [11, 12]
    async with connect(served.url("after=10&run=before-a-restart")) as client:
        assert await hear_until(client, 12) == list(range(1, 13))


async def test_a_hundred_clients_hear_the_same(served: Served) -> None:
    """Text of any script and length arrives whole at every client, in frames they share."""
    texts = ["ü😀\u2028\0", "x" * 200_000, "", "y" * 65_530, "z" * 120]
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(served.url())) for _ in range(100)]
        await served.followers(100)
        for text in texts:
            served.row.publish(text)
            await asyncio.sleep(0.003)
        for client in clients:
            heard: list[str] = []
            while len(heard) < len(texts):
                heard += [item["text"] for item in (await hear(client, "items"))["items"]]
            assert heard == texts


async def test_a_slow_client_is_told_what_it_lost(served: Served) -> None:
    """A client that comes for items that are gone hears how many, then those that are held."""
    for number in range(1_500):
        served.row.publish(str(number))
    async with connect(served.url("after=100")) as client:
        assert await hear(client, "lost") == {"type": "lost", "count": 400}
        assert await hear_until(client, 1_500) == list(range(501, 1_501))


async def test_messages_are_answered_one_after_another(served: Served) -> None:
    """A client's messages get answers in their order, beside the items; a filter changes these."""
    async with connect(served.url()) as client:
        for text in ("one", "two", "short"):
            await client.send(text)
        answers = [(await hear(client, "answer"))["text"] for _ in range(3)]
        assert answers == ["one", "two", "short"]
        for text in ("long", "s", "longer", "t"):
            served.row.publish(text)
        assert await hear_until(client, 4) == [2, 4]


async def test_the_end_of_the_process_ends_the_stream(served: Served) -> None:
    """When streams have to end, a client hears why, and the code that lets it reconnect."""
    async with connect(served.url()) as client:
        await served.followers(1)
        served.drain.begin(keep_streams=True)
        served.row.publish("still")
        assert await hear_until(client, 1) == [1]
        served.drain.begin()
        assert await end_of(client) == ("restart", 1012, "restart")
    await served.followers(0)


async def test_a_revoked_client_is_put_out(served: Served) -> None:
    """When its right is revoked, a client hears that, and the code for it."""
    async with connect(served.url()) as client:
        await served.followers(1)
        served.revoked.set()
        assert await end_of(client) == ("revoked", 1008, "revoked")


@pytest.mark.parametrize(
    ("messages", "end"),
    [
        ([b"binary"], ("not_text", 1003, "not_text")),
        (["x" * 101], ("message_too_long", 1009, "message_too_long")),
        (["x"] * 6, ("too_many_messages", 1008, "too_many_messages")),
        (["x" * 300_000], (None, 1009, "frame with 300000 bytes exceeds limit of 262144 bytes")),
    ],
)
async def test_what_a_client_may_send_is_bounded(
    served: Served, messages: list[str | bytes], end: tuple[str | None, int, str]
) -> None:
    """What isn't text, is too long or comes too often ends the stream with its own code."""
    async with connect(served.url()) as client:
        await hear(client, "hello")
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await client.send(message)
        reason, code, text = await end_of(client)
        assert (reason, code) == end[:2]
        assert end[0] is None or text == end[2]
    await served.followers(0)


async def test_messages_do_not_pile_up_behind_a_slow_one(served: Served) -> None:
    """While one message is handled only some may wait; and the end doesn't wait for it."""
    async with connect(served.url()) as client:
        await client.send("wait")
        await asyncio.wait_for(served.busy.wait(), 20)
        for _ in range(4):
            await client.send("x")
        assert await end_of(client) == ("too_many_messages", 1008, "too_many_messages")
    await served.followers(0)


async def test_a_handler_that_fails_ends_its_stream_only(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in handling a message closes that connection, is logged, and no other's affair."""
    async with connect(served.url()) as client, connect(served.url()) as other:
        await client.send("fail")
        with pytest.raises(ConnectionClosed):
            await hear(client, "answer")
        await served.followers(1)
        served.row.publish("still")
        assert await hear_until(other, 1) == [1]
    assert "LookupError: broken" in caplog.text


async def test_a_client_that_is_gone_is_noticed(served: Served) -> None:
    """Clients that close, and one whose connection breaks, leave no follower behind."""
    async with connect(served.url()) as client:
        await served.followers(1)
        client.transport.abort()
        await served.followers(0)
    async with connect(served.url()):
        await served.followers(1)
    await served.followers(0)


async def test_a_stopped_client_holds_nobody_and_is_dropped(served: Served) -> None:
    """Others hear all in time while one reads nothing; that one goes when its time is over."""
    async with stopped(served), connect(served.url()) as client:
        await served.followers(2)
        last = served.row.last
        heard = asyncio.create_task(hear_until(client, last + 320))
        await flood(served, 20)
        assert len(await heard) == 320
        await served.followers(1)
        await until(lambda: len(served.server._state.connections) == 1)


async def test_a_stopped_client_cannot_hold_up_the_end(served: Served) -> None:
    """With a client that reads nothing the server still finishes, long before any deadline."""
    async with stopped(served):
        await flood(served, 12)
        served.drain.begin()
        async with asyncio.timeout(10):
            await served.server.finish()
        assert served.row.followers == 0


async def test_what_waits_for_a_stopped_client_is_little(served: Served) -> None:
    """However much is published, no more than some frames wait for one that reads nothing."""
    async with stopped(served):
        await flood(served, 12)
        (connection,) = served.server._state.connections
        assert connection.transport.get_write_buffer_size() < 500_000


async def test_the_example_of_the_page_works(tmp_path: Path) -> None:
    """The plain FastAPI application of docs/realtime.md streams, resumes, and ends in order."""
    page = (Path(__file__).parents[3] / "docs" / "realtime.md").read_text()
    program = tmp_path / "radio.py"
    program.write_text(page.split("```python\n")[1].split("```")[0])
    drain = Drain()
    app = runpy.run_path(str(program))["make_application"](drain)
    server = HttpServer(app, socket.create_server(("127.0.0.1", 0)), keep_alive=5)
    await server.start()
    place = f"127.0.0.1:{server.address[1]}/songs"
    async with httpx2.AsyncClient(timeout=60) as http, connect(f"ws://{place}") as client:
        hello = await hear(client, "hello")
        for number in (1, 2):
            assert (await http.post(f"http://{place}?text=la")).json() == number
        assert await hear_until(client, 2) == [1, 2]
        async with connect(f"ws://{place}?after=1&run={hello['run']}") as late:
            assert await hear_until(late, 2) == [2]
        drain.begin()
        last_id = {"Last-Event-ID": f"{hello['run']}-1"}
        assert "event: closing" in (await http.get(f"http://{place}", headers=last_id)).text
        assert await end_of(client) == ("restart", 1012, "restart")
    await server.stop_listening(last=False)
    await server.finish()
    await server.lifespan.shutdown()
