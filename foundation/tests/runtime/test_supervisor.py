"""Several workers: one socket, one operations port, replacements, and one common end."""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

Start = Callable[..., Awaitable[Process]]
Logged = Callable[[Process, str], Awaitable[dict[str, Any]]]


@pytest.fixture(autouse=True)
def temporary_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the served processes put their temporary files where the test can see them.

    Not below `tmp_path`: the path of a Unix socket has 107 bytes at most.
    """
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("TMPDIR", directory)
        yield Path(directory)


def left_in(directory: Path) -> list[Path]:
    """Return what the served processes left behind."""
    return list(directory.iterdir())


async def exit_code(process: Process) -> int:
    """Return the exit code; a process that hangs fails the test."""
    async with asyncio.timeout(20):
        return await process.wait()


async def write(port: int, name: str) -> tuple[int, int]:
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


async def written(client: httpx2.AsyncClient) -> int:
    """Return the sum over all workers of the requests that have written."""
    metrics = (await client.get("/metrics")).text
    (line,) = (line for line in metrics.splitlines() if line.startswith("written_total "))
    return int(float(line.split()[1]))


async def test_no_request_fails_while_loaded_workers_leave(
    start: Start, logged: Logged, temporary_directory: Path
) -> None:
    """Every request of 50 clients is answered, /metrics has counted each, nothing is left."""
    process = await start(workers=2, grace_seconds=0.5)
    ports = await logged(process, "listening")
    clients = [asyncio.ensure_future(write(ports["port"], f"client-{n}")) for n in range(50)]
    operations = f"http://127.0.0.1:{ports['operations_port']}"
    async with httpx2.AsyncClient(base_url=operations, timeout=10) as client:
        while await written(client) < 100:
            pass
    process.send_signal(signal.SIGTERM)
    counts = await asyncio.gather(*clients)
    assert [sent for sent, _ in counts] == [answered for _, answered in counts]
    assert await exit_code(process) == 0
    assert left_in(temporary_directory) == []


async def test_killed_worker_is_replaced(start: Start, logged: Logged) -> None:
    """After kill -9 of a worker the others serve, /readyz is 503 until the new one is ready."""
    process = await start(workers=2, grace_seconds=0)
    ports = await logged(process, "listening")
    api, operations = (f"http://127.0.0.1:{ports[key]}" for key in ("port", "operations_port"))
    async with httpx2.AsyncClient(timeout=10) as client:
        ready = await client.get(f"{operations}/readyz?x=1", headers={"x-by": "test"})
        before = {worker["answer"]["pid"] for worker in ready.json()["workers"]}
        assert (ready.status_code, len(before)) == (200, 2)
        assert {worker["answer"]["asked_by"] for worker in ready.json()["workers"]} == {"test"}
        victim = before.pop()
        os.kill(victim, signal.SIGKILL)
        died = await logged(process, "worker_died")
        assert (died["worker_pid"], died["exit_code"]) == (victim, -signal.SIGKILL)
        assert (await client.get(f"{operations}/readyz")).status_code == 503
        assert (await client.get(f"{operations}/healthz")).status_code == 200
        assert (await client.get(f"{api}/pid")).text == str(before.pop())
        replacement = (await logged(process, "worker_ready"))["worker_pid"]
        ready = await client.get(f"{operations}/statusz")
    assert ready.status_code == 200
    assert replacement in {worker["answer"]["pid"] for worker in ready.json()["workers"]}
    process.send_signal(signal.SIGTERM)
    assert await exit_code(process) == 0


async def test_worker_that_is_told_alone_leaves_alone(start: Start, logged: Logged) -> None:
    """SIGTERM at one worker drains and replaces that one; the socket stays open for all."""
    process = await start(workers=2, grace_seconds=0)
    ports = await logged(process, "listening")
    api, operations = (f"http://127.0.0.1:{ports[key]}" for key in ("port", "operations_port"))
    async with httpx2.AsyncClient(timeout=10) as client:
        ready = await client.get(f"{operations}/readyz")
        os.kill(ready.json()["workers"][0]["answer"]["pid"], signal.SIGTERM)
        assert (await logged(process, "worker_died"))["exit_code"] == 0
        assert (await client.get(f"{api}/pid")).status_code == 200
    await logged(process, "worker_ready")
    process.send_signal(signal.SIGTERM)
    assert await exit_code(process) == 0


async def test_workers_of_a_killed_supervisor_leave(start: Start, logged: Logged) -> None:
    """No worker outlives a supervisor that was killed: each drains and closes its resources."""
    process = await start(workers=2, grace_seconds=0)
    await logged(process, "listening")
    process.kill()
    for _ in range(2):
        await logged(process, "closed")
    assert process.stdout is not None
    async with asyncio.timeout(20):
        await process.stdout.read()  # ends when the last worker has let go of it


async def test_second_signal_ends_all_at_once(
    start: Start, logged: Logged, temporary_directory: Path
) -> None:
    """A second signal does not wait for the grace time, and the exit code is 1."""
    process = await start(workers=2, grace_seconds=600, deadline_seconds=900)
    await logged(process, "listening")
    process.send_signal(signal.SIGTERM)
    await logged(process, "draining")
    process.send_signal(signal.SIGTERM)
    assert await exit_code(process) == 1
    assert left_in(temporary_directory) == []


async def test_failing_startup_is_one_sentence(start: Start, temporary_directory: Path) -> None:
    """When no worker can start, that is said once, without a traceback, exit code 3."""
    process = await start(workers=2, failure="nothing listens on port 5432", grace_seconds=0)
    _, errors = await process.communicate()
    assert errors.decode() == (
        "The application could not start (ConnectionError: nothing listens on port 5432); "
        "correct that and start again, log level DEBUG shows the traceback.\n"
    )
    assert process.returncode == 3
    assert left_in(temporary_directory) == []
