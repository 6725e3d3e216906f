"""One process: what clients see when it starts, serves and goes away."""

import asyncio
import json
import signal
import socket
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


async def write_with_keep_alive(port: int, name: str) -> tuple[int, int]:
    """Write until refused, and return how many requests began and how many were answered."""
    sent = answered = 0
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=30, verify=False
    ) as client:
        while True:
            try:
                sent += 1
                response = await client.post("/write", content=name)
            except httpx2.ConnectError:
                return sent - 1, answered
            answered += response.status_code == 200 and response.text == name


async def write_once_a_connection(port: int, name: str) -> tuple[int, int]:
    """Do the same with a connection for each request, over a bare socket."""
    head = f"POST /write HTTP/1.1\r\nhost: x\r\ncontent-length: {len(name)}\r\nconnection: close"
    sent = answered = 0
    while True:
        try:
            async with connection(port) as (reader, writer):
                sent += 1
                writer.write(f"{head}\r\n\r\n{name}".encode())
                response = await reader.read()
        except ConnectionRefusedError:
            return sent, answered
        answered += response.startswith(b"HTTP/1.1 200") and response.endswith(name.encode())


@pytest.mark.parametrize("write", [write_with_keep_alive, write_once_a_connection])
async def test_no_request_fails_while_a_loaded_process_leaves(
    start: Start,
    logged: Logged,
    write: Callable[[int, str], Awaitable[tuple[int, int]]],
) -> None:
    """Every request that 50 writing clients sent gets its full answer, and the exit code is 0."""
    process = await start(grace_seconds=0.3)
    port = (await logged(process, "listening"))["port"]
    clients = [asyncio.ensure_future(write(port, f"client-{n}")) for n in range(50)]
    await asyncio.sleep(0.3)  # load has no event to wait for
    process.send_signal(signal.SIGTERM)
    counts = await asyncio.gather(*clients)
    assert [sent for sent, _ in counts] == [answered for _, answered in counts]
    assert sum(sent for sent, _ in counts) > 50
    assert await exit_code(process) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_grace_time_serves_and_says_close(
    start: Start, logged: Logged, number: signal.Signals
) -> None:
    """In the grace time readiness is 503, requests are served, and responses say close."""
    process = await start(grace_seconds=0.5)
    ports = await logged(process, "listening")
    api, operations = (f"http://127.0.0.1:{ports[key]}" for key in ("port", "operations_port"))
    async with httpx2.AsyncClient() as client:
        before = await client.get(f"{api}/pid")
        ready = await client.get(f"{operations}/readyz")
        process.send_signal(number)
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
    async with connection(ports["port"]) as (reader, writer), httpx2.AsyncClient() as client:
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
    """The end comes in order: requests, jobs, resources, exit code 0."""
    process = await start(grace_seconds=0)
    port = (await logged(process, "listening"))["port"]
    async with httpx2.AsyncClient() as client:
        running = asyncio.ensure_future(client.get(f"http://127.0.0.1:{port}/until-drain"))
        await logged(process, "request_running")
        process.send_signal(signal.SIGTERM)
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
        httpx2.AsyncClient() as client,
        client.stream("GET", f"http://127.0.0.1:{port}/events") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == "data: begin"
        process.send_signal(signal.SIGTERM)
        assert [line async for line in lines if line] == ["data: end"]
    assert await exit_code(process) == 0


async def test_event_stream_that_ignores_the_drain_is_cut_at_the_deadline(
    start: Start, logged: Logged
) -> None:
    """The deadline breaks the stream, the resources still close, and the exit code is 1."""
    process = await start(grace_seconds=0, deadline_seconds=0.5)
    port = (await logged(process, "listening"))["port"]
    async with (
        httpx2.AsyncClient() as client,
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
    """Send, if told so, and listen until the connection closes."""
    while True:
        if sending:
            await websocket.send("more")
        await websocket.recv()


@pytest.mark.parametrize("sending", [False, True])
async def test_websocket_is_told_that_the_service_restarts(
    start: Start, logged: Logged, *, sending: bool
) -> None:
    """A WebSocket client sees close code 1012, also while it is sending without a pause."""
    process = await start(grace_seconds=0)
    port = (await logged(process, "listening"))["port"]
    async with connect(f"ws://127.0.0.1:{port}/echo") as websocket:
        await websocket.send("hello")
        assert await websocket.recv() == "hello"
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await talk(websocket, sending=sending)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert await exit_code(process) == 0


async def test_failing_startup_is_one_sentence(start: Start) -> None:
    """An exception in the lifespan is one sentence on stderr, no traceback, exit code 3."""
    process = await start(failure="nothing listens\non port 5432.")
    _, errors = await process.communicate()
    assert errors.decode() == (
        "The application could not start (ConnectionError: nothing listens on port 5432); "
        "correct that and start again, log level DEBUG shows the traceback.\n"
    )
    assert process.returncode == 3


@pytest.mark.parametrize("field", ["port", "operations_port"])
async def test_port_in_use_is_one_sentence(start: Start, field: str) -> None:
    """A port that another process has is one sentence that says what to do, exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = await start(**{field: port})
        lines, errors = await process.communicate()
    assert errors.decode() == (
        f"Cannot listen on port {port} on 127.0.0.1, another process uses it; "
        "stop that one, or choose another port.\n"
    )
    assert not [line for line in lines.splitlines() if json.loads(line)["event"] == "opened"]
    assert process.returncode == 3
