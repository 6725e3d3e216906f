"""Server-sent events: frames that can't be broken into, and streams that end in order."""

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
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from bedplate.lifecycle import Drain
from bedplate.realtime import Broadcast, EventStream, LastEventId, Numbered, frame
from bedplate.realtime.stream_monitor import StreamMonitor
from bedplate.runtime.server import HttpServer
from bedplate.testing.clock import SettableClock

TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


def read_events(stream: bytes) -> list[dict[str, str]]:
    """Parse a stream as the standard says, and return its events, each with the last id."""
    events, last_id = list[dict[str, str]](), ""
    fields: dict[str, list[str]] = {}
    text = stream.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n"):
        if line == "":
            last_id = fields.get("id", [last_id])[-1]
            if "data" in fields:
                event = {"event": fields.get("event", [""])[-1], "data": "\n".join(fields["data"])}
                events.append(event | {"id": last_id})
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            if name != "id" or "\0" not in value:
                fields.setdefault(name, []).append(value.removeprefix(" "))
    return events


@given(TEXT, TEXT, TEXT)
def test_one_frame_is_one_event(data: str, event: str, identifier: str) -> None:
    """Whatever is put into a frame, a client reads one event with it, or it is refused."""
    bad = set("\r\n\0") & {*event, *identifier}
    if bad:
        with pytest.raises(ValueError, match="line end"):
            frame(data, event=event, id=identifier)
        return
    (read,) = read_events(frame(data, event=event, id=identifier))
    as_sent = [text.encode("utf-8", "replace").decode() for text in (event, identifier)]
    assert [read["event"], read["id"]] == as_sent
    lines = data.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    assert read["data"] == lines


def test_frames_have_their_fields_and_nothing_else() -> None:
    """A frame has the fields that were given; bytes go as they are, a mapping as JSON."""
    assert frame(b"x") == b"data: x\n\n"
    assert frame({"a": 1}, event="e", id="1-2", retry_seconds=1.5) == (
        b'event: e\nid: 1-2\nretry: 1500\ndata: {"a":1}\n\n'
    )
    assert frame(id="1-2") == b"id: 1-2\n\n"
    assert frame("") == b"data: \n\n"


class Served:
    """An application with event streams on a real server."""

    def __init__(self) -> None:
        self.row = Broadcast(1_000, encode, interval_seconds=0.001)
        self.drain = Drain()
        self.closed = 0
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.server = HttpServer(
            self._application(), socket.create_server(("127.0.0.1", 0)), keep_alive=5
        )
        self.url = f"http://127.0.0.1:{self.server._listener.getsockname()[1]}"

    def _application(self) -> FastAPI:
        app = FastAPI()

        @app.get("/row", response_class=EventStream)
        async def row(position: LastEventId) -> EventStream:
            return EventStream(self.row.sse(position), drain=self.drain, send_seconds=0.6)

        @app.get("/frames", response_class=EventStream)
        async def frames() -> EventStream:
            return EventStream(self._frames(), drain=self.drain)

        @app.get("/lost", response_class=EventStream)
        async def lost() -> EventStream:
            return EventStream(self.row.sse(None), drain=self.drain)

        self.application = app
        return app

    async def _frames(self) -> AsyncIterator[bytes]:
        try:
            while (part := await self.frames.get()) is not None:
                yield part
        finally:
            await asyncio.sleep(0)  # an end that takes its time is waited for
            self.closed += 1


def encode(entry: Numbered[str]) -> str:
    """Return the JSON of an item."""
    return json.dumps(entry.item)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells; fail when it takes far too long."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.005)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Give the application on a server, which ends in order."""
    served = Served()
    await served.server.start()
    yield served
    served.drain.begin()
    await served.server.stop_listening(last=False)
    async with asyncio.timeout(20):
        await served.server.finish()


class Listener:
    """A client of a stream."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.received = b""
        self._parts = response.aiter_raw()

    async def events(self, count: int) -> list[dict[str, str]]:
        """Return the events as soon as there are so many."""
        async with asyncio.timeout(20):
            while len(read_events(self.received)) < count:
                self.received += await anext(self._parts)
        return read_events(self.received)

    async def bytes_received(self, count: int) -> None:
        """Return when so many bytes have come."""
        async with asyncio.timeout(20):
            while count > 0:
                count -= len(await anext(self._parts))

    async def rest(self) -> list[dict[str, str]]:
        """Return all events when the stream has ended in order."""
        async with asyncio.timeout(20):
            async for part in self._parts:
                self.received += part
        return read_events(self.received)


@contextlib.asynccontextmanager
async def listening(url: str, **headers: str) -> AsyncIterator[Listener]:
    """Give a client of a stream."""
    async with (
        httpx2.AsyncClient(timeout=60) as http,
        http.stream("GET", url, headers=headers) as response,
    ):
        assert response.status_code == 200
        yield Listener(response)


async def test_a_client_hears_what_is_published_and_resumes(served: Served) -> None:
    """Events have ids; who comes back with the last one gets what it missed, once."""
    async with listening(f"{served.url}/row") as client:
        assert client.response.headers["content-type"].startswith("text/event-stream")
        assert client.response.headers["cache-control"] == "no-store"
        assert client.response.headers["x-accel-buffering"] == "no"
        await until(lambda: served.row.followers == 1)
        served.row.publish("one")
        served.row.publish("two")
        first, second = await client.events(2)
        assert [first["data"], second["data"]] == ['"one"', '"two"']
        assert b"retry: " in client.received.split(b"data")[0]
    await until(lambda: served.row.followers == 0)
    served.row.publish("three")
    async with listening(f"{served.url}/row", **{"Last-Event-ID": first["id"]}) as client:
        assert [event["data"] for event in await client.events(2)] == ['"two"', '"three"']
    async with listening(f"{served.url}/row?last_event_id=garbage") as client:
        assert len(await client.events(3)) == 3


async def test_a_slow_client_of_a_broadcast_is_notified(served: Served) -> None:
    """A client that comes for items that are gone hears how many."""
    for number in range(1_500):
        served.row.publish(str(number))
    identifier = f"{served.row.run}-100"
    async with listening(f"{served.url}/row", **{"Last-Event-ID": identifier}) as client:
        lost, first = (await client.events(2))[:2]
    assert (lost["event"], lost["data"], first["data"]) == ("lost", '{"count":400}', '"500"')


async def test_the_end_of_the_process_ends_streams_in_order(served: Served) -> None:
    """When streams have to end, clients hear why and when to come back, and no stream is cut."""
    async with listening(f"{served.url}/frames") as client:
        served.frames.put_nowait(frame("1"))
        await client.events(1)
        served.drain.begin(keep_streams=True)
        served.frames.put_nowait(frame("2"))
        await client.events(2)
        served.drain.begin()
        last = (await client.rest())[-1]
        assert (last["event"], last["data"]) == ("closing", '{"reason":"restart"}')
        assert b"retry: " in client.received.rpartition(b"event: closing")[2]
    assert served.closed == 1


async def test_a_stream_that_opens_while_the_process_drains_ends(served: Served) -> None:
    """A client that comes too late is sent away, too."""
    served.drain.begin()
    async with listening(f"{served.url}/frames") as client:
        assert [event["event"] for event in await client.rest()] == ["closing"]


async def test_a_stream_ends_with_its_frames(served: Served) -> None:
    """When there are no more frames the response is complete."""
    served.frames.put_nowait(frame("1"))
    served.frames.put_nowait(None)
    async with listening(f"{served.url}/frames") as client:
        assert [event["data"] for event in await client.rest()] == ["1"]
    assert served.closed == 1


async def test_a_client_that_is_gone_is_noticed(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that leaves, or breaks off, ends its frames though nothing is sent."""
    async with listening(f"{served.url}/frames"):
        pass
    await until(lambda: served.closed == 1)
    client = socket.socket()
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, served.server.address)
    await loop.sock_sendall(client, b"GET /frames HTTP/1.1\r\nhost: x\r\n\r\n")
    await loop.sock_recv(client, 100)
    client.close()
    await until(lambda: served.closed == 2)
    assert "Exception" not in caplog.text


async def test_frames_that_fail_end_their_stream_only(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """An error while making frames is logged and cuts this stream, so its client comes back."""

    async def failing() -> AsyncIterator[bytes]:
        yield frame("1")
        raise LookupError("broken")

    served.application.add_api_route("/failing", lambda: EventStream(failing()))
    async with listening(f"{served.url}/frames") as other:
        async with listening(f"{served.url}/failing") as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.rest()
        served.frames.put_nowait(frame("still"))
        assert len(await other.events(1)) == 1
    assert "LookupError: broken" in caplog.text


@contextlib.asynccontextmanager
async def stopped(served: Served) -> AsyncIterator[socket.socket]:
    """Give a client that reads nothing; what it can take is little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    before = served.row.followers
    with client:
        await loop.sock_connect(client, served.server.address)
        await loop.sock_sendall(client, b"GET /row HTTP/1.1\r\nhost: x\r\n\r\n")
        await until(lambda: served.row.followers == before + 1)
        yield client


async def flood(served: Served, megabytes: int) -> None:
    """Publish more than any buffer between server and client takes."""
    for _ in range(megabytes * 16):
        served.row.publish("x" * 65_536)
        await asyncio.sleep(0.002)


async def test_a_stopped_client_holds_nobody_and_is_dropped(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Others hear all while one reads nothing; that one's connection is cut when time is over."""
    async with stopped(served), listening(f"{served.url}/lost") as client:
        await until(lambda: served.row.followers == 2)
        heard = asyncio.create_task(client.bytes_received(160 * 65_536))
        await flood(served, 10)
        await heard
        await until(lambda: served.row.followers == 1)
        await until(lambda: len(served.server._state.connections) == 1)
    assert not caplog.records


async def test_a_stopped_client_cannot_hold_up_the_end(served: Served) -> None:
    """With a client that reads nothing the server still finishes, long before any deadline."""
    async with stopped(served):
        await flood(served, 8)
        served.drain.begin()
        async with asyncio.timeout(10):
            await served.server.finish()
        assert served.row.followers == 0


async def test_a_sleeping_client_cannot_hold_up_the_end(served: Served) -> None:
    """Nor can one that is behind by less than a buffer, so that nothing waits to be sent to it."""
    async with stopped(served):
        (connection,) = served.server._state.connections
        while connection.transport.get_write_buffer_size() == 0:
            served.row.publish("x" * 16_384)
            await asyncio.sleep(0.002)
        served.drain.begin()
        async with asyncio.timeout(10):
            await served.server.finish()


async def test_little_waits_for_a_stopped_client(served: Served) -> None:
    """However much is published, no more than some frames wait for one that reads nothing."""
    async with stopped(served):
        await flood(served, 8)
        for connection in served.server._state.connections:
            assert connection.transport.get_write_buffer_size() < 500_000


class Connection:
    """An ASGI connection without a server."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.gone = asyncio.Event()
        self.scope: dict[str, Any] = {"type": "http"}

    async def receive(self) -> dict[str, Any]:
        """Wait until the client is gone."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Note what is sent."""
        self.sent.append(message.get("body", b""))


async def _nothing() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def test_silence_is_broken_by_pings(clock: SettableClock) -> None:
    """After so many seconds without a frame a client gets a comment, not before, and no event."""
    connection, stream = Connection(), EventStream(_nothing(), ping_seconds=15)
    serving = asyncio.create_task(stream(connection.scope, connection.receive, connection.send))
    await until(lambda: len(connection.sent) == 2)
    clock.advance(seconds=14.9)
    stream.check(clock.monotonic())
    await asyncio.sleep(0)
    assert len(connection.sent) == 2
    clock.advance(seconds=0.1)
    StreamMonitor.of_loop()._check()
    await until(lambda: len(connection.sent) == 3)
    assert connection.sent[2] == b": ping\n\n"
    assert read_events(b"".join(connection.sent)) == []
    connection.gone.set()
    await serving


async def test_a_stream_can_be_cancelled_from_outside() -> None:
    """A cancellation that isn't the stream's own goes on to whoever cancelled it."""
    connection, stream = Connection(), EventStream(_nothing(), drain=(drain := Drain()))
    serving = asyncio.create_task(stream(connection.scope, connection.receive, connection.send))
    await until(lambda: len(connection.sent) == 2)
    serving.cancel()
    drain.begin()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not StreamMonitor.of_loop()._streams
    assert not StreamMonitor.of_loop()._drains


async def test_the_document_says_what_the_route_sends(served: Served) -> None:
    """OpenAPI has `text/event-stream`, and the parameters by which a client resumes."""
    operation = served.application.openapi()["paths"]["/row"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    names = {(parameter["in"], parameter["name"]) for parameter in operation["parameters"]}
    assert names == {("header", "Last-Event-ID"), ("query", "last_event_id")}


async def test_the_drain_of_the_state_is_the_default() -> None:
    """A backend's route needs not name its drain."""
    connection, drain = Connection(), Drain()
    connection.scope["state"] = {"drain": drain}
    stream = EventStream(_nothing())
    serving = asyncio.create_task(stream(connection.scope, connection.receive, connection.send))
    await until(lambda: len(connection.sent) == 2)
    drain.begin()
    await asyncio.wait_for(serving, 20)
    assert [event["event"] for event in read_events(b"".join(connection.sent))] == ["closing"]


async def test_the_example_of_the_page_works(tmp_path: Path) -> None:
    """The second program of docs/realtime.md shows hosts and voters what is for them."""
    page = (Path(__file__).parents[3] / "docs" / "realtime.md").read_text()
    program = tmp_path / "hall.py"
    program.write_text("# hall.py" + page.split("# hall.py")[1].split("```")[0])
    drain = Drain()
    app = runpy.run_path(str(program))["make_application"](drain)
    server = HttpServer(app, socket.create_server(("127.0.0.1", 0)), keep_alive=5)
    await server.start()
    hall = f"http://127.0.0.1:{server.address[1]}/halls/blue"
    async with (
        httpx2.AsyncClient(timeout=60) as http,
        listening(f"{hall}/host") as host,
        listening(f"{hall}/voter") as voter,
    ):
        await host.events(1)
        await voter.events(1)
        await http.post(f"{hall}/votes")
        await host.events(2)
        question = {"question": "6 * 7?", "solution": "42"}
        (await http.post(f"{hall}/questions", params=question)).raise_for_status()
        heard = await host.events(3)
        assert [event["event"] for event in heard] == ["snapshot", "votes", "asked"]
        assert json.loads(heard[-1]["data"]) == question
        snapshot, asked = await voter.events(2)
        assert json.loads(asked["data"]) == {"question": "6 * 7?"}
        async with listening(f"{hall}/voter?last_event_id={snapshot['id']}") as late:
            assert (await late.events(1))[0]["id"] == asked["id"]
        drain.begin()
        assert (await host.rest())[-1]["event"] == "closing"
    await server.stop_listening(last=False)
    await server.finish()
    await server.lifespan.shutdown()
