"""One process: what clients see when it starts, serves and goes away."""

import asyncio
import contextlib
import signal
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Start = Callable[..., Awaitable[Process]]
Logged = Callable[[Process, str], Awaitable[dict[str, Any]]]


async def exit_code(process: Process) -> int:
    """Return the exit code; a process that hangs fails the test."""
    async with asyncio.timeout(20):
        return await process.wait()


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """Open a bare connection, and close it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def refused(port: int) -> None:
    """Return when connections are refused."""
    try:
        while True:
            async with connection(port):
                pass
    except ConnectionRefusedError:
        return


class Load:
    """Clients that write until they are refused, and count what they sent and what was answered."""

    def __init__(self, port: int) -> None:
        self.sent = self.answered = 0
        self._port = port
        self._body = b"x" * 10
        self._flowing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Start 25 clients of each kind, and return when 200 requests are answered."""
        clients = [self.write_with_keep_alive, self.write_once_a_connection]
        self._tasks = [asyncio.create_task(client()) for client in clients * 25]
        await self._flowing.wait()

    async def end(self) -> None:
        """Return when every client was refused."""
        async with asyncio.timeout(20):
            await asyncio.gather(*self._tasks)

    async def write_with_keep_alive(self) -> None:
        """Write on one connection until the server says close, then on the next."""
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                async with connection(self._port) as streams:
                    while b"connection: close" not in await self._write(*streams, b"keep-alive"):
                        pass

    async def write_once_a_connection(self) -> None:
        """Write on a connection for each request."""
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                async with connection(self._port) as streams:
                    await self._write(*streams, b"close")

    async def _write(self, reader: StreamReader, writer: StreamWriter, persistence: bytes) -> bytes:
        head = b"POST /write HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: "
        self.sent += 1
        writer.write(head + persistence + b"\r\n\r\n" + self._body)
        response = await reader.readuntil(self._body)
        self.answered += response.startswith(b"HTTP/1.1 200")
        if self.answered > 200:
            self._flowing.set()
        return response


async def test_no_request_fails_while_a_loaded_process_leaves(start: Start, logged: Logged) -> None:
    """Every request that 50 writing clients sent gets its full answer, and the exit code is 0."""
    process = await start(grace_seconds=0.3)
    load = Load((await logged(process, "listening"))["port"])
    await load.begin()
    process.send_signal(signal.SIGTERM)
    await load.end()
    assert load.answered == load.sent
    assert await exit_code(process) == 0


async def test_grace_time_serves_and_says_close(start: Start, logged: Logged) -> None:
    """In the grace time readiness is 503, requests are served, and responses say close."""
    process = await start(grace_seconds=0.5)
    ports = await logged(process, "listening")
    api, operations = (f"http://127.0.0.1:{ports[key]}" for key in ("port", "operations_port"))
    async with httpx2.AsyncClient(timeout=60) as client:
        before = await client.get(f"{api}/pid")
        ready = await client.get(f"{operations}/readyz")
        process.send_signal(signal.SIGTERM)
        await logged(process, "draining")
        after = await client.get(f"{api}/pid")
        leaving = await client.get(f"{operations}/readyz")
    assert (before.status_code, ready.status_code) == (200, 200)
    assert "connection" not in before.headers
    assert (after.status_code, leaving.status_code) == (200, 503)
    assert after.headers["connection"] == "close"
    assert "server" not in after.headers
    assert "date" in after.headers
    assert await exit_code(process) == 0


async def test_operations_port_leaves_last(start: Start, logged: Logged) -> None:
    """While a running request still holds the process, /readyz answers 503, the API refuses."""
    process = await start(grace_seconds=0)
    ports = await logged(process, "listening")
    readyz = f"http://127.0.0.1:{ports['operations_port']}/readyz"
    async with (
        connection(ports["port"]) as (reader, writer),
        httpx2.AsyncClient(timeout=60) as client,
    ):
        writer.write(b"POST /write HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na")
        await writer.drain()
        process.send_signal(signal.SIGTERM)
        await refused(ports["port"])
        leaving = await client.get(readyz)
        writer.write(b"b")
        response = await reader.read()
    assert leaving.status_code == 503
    assert response.endswith(b"\r\n\r\nab")
    assert b"connection: close" in response
    assert await exit_code(process) == 0


async def test_running_requests_finish_then_jobs_stop_then_resources_close(
    start: Start, logged: Logged
) -> None:
    """After SIGINT, too, the end comes in order: requests, jobs, resources, exit code 0."""
    process = await start(grace_seconds=0)
    port = (await logged(process, "listening"))["port"]
    async with httpx2.AsyncClient(timeout=60) as client:
        running = asyncio.ensure_future(client.get(f"http://127.0.0.1:{port}/until-drain"))
        await logged(process, "request_running")
        process.send_signal(signal.SIGINT)
        assert (await running).text == "finished"
    for event in ("draining", "job_stopped", "closed"):
        await logged(process, event)
    assert (await logged(process, "stopped"))["exit_code"] == 0
    assert await exit_code(process) == 0


async def test_connection_that_has_sent_nothing_yet_gets_its_answer(
    start: Start, logged: Logged
) -> None:
    """A request that arrives on an open connection after the listener has closed is answered."""
    process = await start(grace_seconds=0)
    port = (await logged(process, "listening"))["port"]
    async with connection(port) as fresh, connection(port) as begun:
        begun[1].write(b"GET /pid HT")
        process.send_signal(signal.SIGTERM)
        await logged(process, "listener_closed")
        fresh[1].write(b"GET /pid HTTP/1.1\r\nhost: x\r\n\r\n")
        begun[1].write(b"TP/1.1\r\nhost: x\r\n\r\n")
        for reader, _ in (fresh, begun):
            assert (await reader.read()).endswith(str(process.pid).encode())
    assert await exit_code(process) == 0


async def test_idle_connections_do_not_hold_the_process(start: Start, logged: Logged) -> None:
    """A keep-alive connection without a request is closed, also a silent one."""
    process = await start(grace_seconds=0)
    port = (await logged(process, "listening"))["port"]
    async with connection(port) as (silent, _), connection(port) as (used, writer):
        writer.write(b"GET /pid HTTP/1.1\r\nhost: x\r\n\r\n")
        await used.readuntil(str(process.pid).encode())
        process.send_signal(signal.SIGTERM)
        assert (await silent.read(), await used.read()) == (b"", b"")
    assert await exit_code(process) == 0


async def test_event_stream_that_waits_for_the_drain_ends_cleanly(
    start: Start, logged: Logged
) -> None:
    """An SSE client gets the last event and a complete body."""
    process = await start(grace_seconds=0.2)
    port = (await logged(process, "listening"))["port"]
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/events") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == "data: begin"
        process.send_signal(signal.SIGTERM)
        assert [line async for line in lines if line] == ["data: end"]
    assert await exit_code(process) == 0


async def test_event_streams_go_on_in_the_grace_time(start: Start, logged: Logged) -> None:
    """Clients are sent away when the listener is closed, not while they would come back here."""
    process = await start(grace_seconds=600, deadline_seconds=900)
    url = f"http://127.0.0.1:{(await logged(process, 'listening'))['port']}"
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{url}/events") as response,
    ):
        lines = response.aiter_lines()
        assert [await anext(lines), await anext(lines)] == ["data: begin", ""]
        process.send_signal(signal.SIGTERM)
        await logged(process, "draining")
        following = asyncio.ensure_future(anext(lines))
        for _ in range(5):
            assert (await client.get(f"{url}/pid")).status_code == 200
        done, _ = await asyncio.wait({following}, timeout=0.3)
        assert not done
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


async def test_event_stream_that_ignores_the_drain_is_cut_at_the_deadline(
    start: Start, logged: Logged
) -> None:
    """The deadline breaks the stream, the resources still close, and the exit code is 1."""
    process = await start(grace_seconds=0, deadline_seconds=0.5)
    port = (await logged(process, "listening"))["port"]
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/stubborn") as response,
    ):
        lines = response.aiter_lines()
        await anext(lines)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx2.RemoteProtocolError):
            async for _ in lines:
                pass
    assert (await logged(process, "forced_to_stop"))["reason"] == "deadline"
    await logged(process, "closed")
    assert await exit_code(process) == 1


async def test_second_signal_ends_it_at_once(start: Start, logged: Logged) -> None:
    """A second signal does not wait for the grace time, and the exit code is 1."""
    process = await start(grace_seconds=600, deadline_seconds=900)
    await logged(process, "listening")
    process.send_signal(signal.SIGTERM)
    await logged(process, "draining")
    process.send_signal(signal.SIGINT)
    assert (await logged(process, "forced_to_stop"))["reason"] == "second signal"
    assert await exit_code(process) == 1


async def test_blocked_event_loop_cannot_overrun_the_deadline(start: Start, logged: Logged) -> None:
    """A request that blocks the whole event loop ends with the process, exit code 1."""
    process = await start(grace_seconds=0.3, deadline_seconds=0.4)
    port = (await logged(process, "listening"))["port"]
    process.send_signal(signal.SIGTERM)
    await logged(process, "draining")
    async with httpx2.AsyncClient(timeout=20) as client:
        with pytest.raises(httpx2.TransportError):
            await client.get(f"http://127.0.0.1:{port}/block")
    assert await exit_code(process) == 1


async def talk(websocket: ClientConnection, *, sending: bool) -> None:
    """Listen, and send if asked, until the connection closes."""
    while True:
        if sending:
            await websocket.send("more")
        await websocket.recv()


async def close_code(websocket: ClientConnection, *, sending: bool) -> int:
    """Return the code with which the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        await talk(websocket, sending=sending)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_websocket_closes_with_service_restart(start: Start, logged: Logged) -> None:
    """A WebSocket client sees close code 1012, also while it is sending without a pause."""
    process = await start(grace_seconds=0)
    url = f"ws://127.0.0.1:{(await logged(process, 'listening'))['port']}/echo"
    async with connect(url) as listening, connect(url) as sending:
        codes = asyncio.gather(
            close_code(listening, sending=False), close_code(sending, sending=True)
        )
        await sending.ping()
        process.send_signal(signal.SIGTERM)
        assert [*await codes] == [1012, 1012]
    assert await exit_code(process) == 0
