"""Several workers: one socket, one operations port, replacements, and one common end."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bedplate.runtime import Serving
from bedplate.runtime.listener import bind
from bedplate.runtime.serving import Factories
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.worker import READY

Start = Callable[..., Awaitable[Process]]
Logged = Callable[[Process, str], Awaitable[dict[str, Any]]]

WRITTEN = "http_server_request_duration_seconds_count"


@dataclass(frozen=True)
class Service:
    """Two workers that serve, and what a client asks them."""

    process: Process
    api: httpx2.AsyncClient
    operations: httpx2.AsyncClient

    async def write(self) -> None:
        """Write once, on a connection of its own so that any worker may get it."""
        response = await self.api.post("/write", content="x", headers={"connection": "close"})
        assert (response.status_code, response.text) == (200, "x")

    async def written(self) -> dict[str, int]:
        """Return how many requests each worker has counted."""
        return {worker: int(count) for worker, count in (await self.metric(WRITTEN)).items()}

    async def pids(self) -> dict[str, int]:
        """Return the process id of each worker."""
        return {worker: int(pid) for worker, pid in (await self.metric("process_id")).items()}

    async def metric(self, name: str) -> dict[str, float]:
        """Return the value of a metric by worker."""
        families = text_string_to_metric_families((await self.operations.get("/metrics")).text)
        samples = (sample for family in families for sample in family.samples)
        return {s.labels["worker"]: s.value for s in samples if s.name == name}


async def serving(process: Process, logged: Logged) -> Service:
    """Return a started process when it listens."""
    ports = await logged(process, "listening")
    api, operations = (
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ports[key]}", timeout=20, verify=False)
        for key in ("port", "operations_port")
    )
    return Service(process, api, operations)


@pytest.fixture(scope="module")
async def service(programs: Any, logged: Logged) -> AsyncIterator[Service]:
    """Give two workers, to share between tests that leave as many; at the end they have to go."""
    process = await programs.start(workers=2, grace_seconds=0)
    service = await serving(process, logged)
    async with service.api, service.operations:
        yield service
    process.send_signal(signal.SIGTERM)
    assert await exit_code(process) == 0


async def exit_code(process: Process) -> int:
    """Return the exit code; a process that hangs fails the test."""
    async with asyncio.timeout(20):
        return await process.wait()


async def test_metrics_show_each_worker(service: Service) -> None:
    """What two workers have counted adds up to what was sent, and each has its own gauges."""
    before = Counter(await service.written())
    sent = 0
    async with asyncio.timeout(20):
        while len(counted := Counter(await service.written()) - before) < 2:
            await asyncio.gather(*(service.write() for _ in range(10)))
            sent += 10
    assert counted.total() == sent
    assert set(counted) == {"1", "2"}
    assert len(set((await service.pids()).values())) == 2
    assert set(await service.metric("process_cpu_seconds_total")) == {"1", "2"}


async def test_workers_see_who_asks(service: Service) -> None:
    """The client's address and headers reach every worker, and nobody can forge the address."""
    forged = {"x-by": "test", "bedplate-client": '["192.0.2.1",1]'}
    response = await service.operations.get("/statusz?x=1", headers=forged)
    answers = [worker["answer"] for worker in response.json()["workers"]]
    assert [answer["client"][0] for answer in answers] == ["127.0.0.1"] * 2
    assert [answer["headers"]["x-by"] for answer in answers] == ["test"] * 2


async def test_killed_worker_is_replaced(service: Service, logged: Logged) -> None:
    """After kill -9 of a worker the other serves and counts on; /readyz is 503 for that time."""
    assert (await service.operations.get("/readyz")).status_code == 200
    await service.write()
    before, pids = await service.written(), await service.pids()
    victim, survivor = sorted(pids, key=lambda worker: worker in before)
    os.kill(pids[victim], signal.SIGKILL)
    died = await logged(service.process, "worker_died")
    assert (died["worker_pid"], died["exit_code"]) == (pids[victim], -signal.SIGKILL)
    assert (await service.operations.get("/readyz")).status_code == 503
    assert (await service.operations.get("/healthz")).status_code == 200
    assert (await service.api.get("/pid")).text == str(pids[survivor])
    assert await service.written() == {survivor: before[survivor]}
    replacement = (await logged(service.process, "worker_ready"))["worker_pid"]
    assert (await service.operations.get("/readyz")).status_code == 200
    assert await service.pids() == {victim: replacement, survivor: pids[survivor]}
    assert await service.written() == {survivor: before[survivor]}


async def test_worker_with_its_own_signal_stops_alone(service: Service, logged: Logged) -> None:
    """SIGTERM at one worker drains and replaces that one; the socket stays open for all."""
    os.kill((await service.pids())["1"], signal.SIGTERM)
    assert (await logged(service.process, "worker_died"))["exit_code"] == 0
    await service.write()
    await logged(service.process, "worker_ready")


async def write_until_refused(service: Service) -> tuple[int, int]:
    """Write on, and return how many requests began and how many were answered."""
    sent = answered = 0
    while True:
        try:
            sent += 1
            await service.write()
        except httpx2.ConnectError:
            return sent - 1, answered
        answered += 1


async def test_no_request_fails_while_loaded_workers_leave(
    start: Start, logged: Logged, temporary_directory: Path
) -> None:
    """Every request of 30 clients is answered, the exit code is 0, and no file is left."""
    service = await serving(await start(workers=2, grace_seconds=0.3), logged)
    async with service.api, service.operations:
        clients = [asyncio.ensure_future(write_until_refused(service)) for _ in range(30)]
        while sum((await service.written()).values()) < 100:
            pass
        service.process.send_signal(signal.SIGTERM)
        counts = await asyncio.gather(*clients)
    assert [sent for sent, _ in counts] == [answered for _, answered in counts]
    assert await exit_code(service.process) == 0
    assert left_in(temporary_directory) == []


def left_in(directory: Path) -> list[Path]:
    """Return what the served processes left behind."""
    return list(directory.iterdir())


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


async def test_no_worker_starts_when_the_drain_begins_as_its_delay_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would tell that worker to leave: it would be killed at the deadline."""

    class DeadWorker:
        def __init__(self, *_: object) -> None:
            self.process = SimpleNamespace(pid=1)
            self.started = 0.0
            reports.append(READY)

        async def report(self) -> bytes:
            return reports[-1]

        async def exit_code(self) -> int:
            return 1

        def leave(self) -> None: ...

    async def drain_too_late() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            supervisor.drain.begin()

    reports: list[bytes] = []
    monkeypatch.setattr("bedplate.runtime.supervisor.Worker", DeadWorker)
    monkeypatch.setattr("bedplate.runtime.supervisor.FIRST_BACK_OFF_SECONDS", 0.01)
    serving = Serving(port=0, workers=1)
    with bind("127.0.0.1", 0) as listener:
        supervisor = Supervisor(Factories(application="x:y"), serving, listener, Path())
        monkeypatch.setattr(supervisor.drain, "wait", drain_too_late)
        async with asyncio.timeout(10):
            assert await supervisor.run() == 0
    assert len(reports) == 1
