"""`bedplate run tasks --workers 2` as it runs in production, on PostgreSQL and Valkey."""

import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bedplate.database import Database
from bedplate.testing.processes import ProcessError, ServerProcess, free_port
from tasks import service
from tasks.settings import TasksSettings

SECRET = "5" * 64
BEDPLATE = shutil.which("bedplate", path=str(Path(sys.executable).parent)) or "bedplate"


def described(folder: Path, port: int, operations_port: int, **variables: str) -> ServerProcess:
    """Return the process, not started: two workers with the settings of production."""
    ports = ["--port", str(port), "--operations-port", str(operations_port)]
    return ServerProcess(
        [BEDPLATE, "run", "tasks", "--workers", "2", "--grace", "0.2", *ports],
        url=f"http://127.0.0.1:{port}/healthz",
        env={
            "TASKS_ENVIRONMENT": "production",
            "CORS_ORIGINS": "https://app.example.com",
            "SESSION_HASH_SECRET": SECRET,
            **variables,
        },
        cwd=folder,
        timeout_seconds=90,
    )


@pytest.fixture
def ports() -> tuple[int, int]:
    """Give the port of the API and the operations port."""
    return free_port(), free_port()


@pytest.fixture
def workers(
    ports: tuple[int, int], postgres_url: str, redis_url: str, tmp_path: Path
) -> Iterator[ServerProcess]:
    """Give a supervisor whose two workers serve."""
    with described(tmp_path, *ports, DATABASE_URL=postgres_url, REDIS_URL=redis_url) as process:
        yield process


@pytest.fixture
async def api(
    workers: ServerProcess, ports: tuple[int, int], postgres_url: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a signed-in client that opens a connection for each request, so any worker gets it."""
    settings = TasksSettings(_env_file=None, database_url=SecretStr(postgres_url))
    async with Database.open(settings) as database, database.write() as session:
        token = await service.sign_in(session, SecretStr(SECRET), "ada@example.com")
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    base_url = f"http://127.0.0.1:{ports[0]}"
    async with httpx2.AsyncClient(base_url=base_url, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
async def operations(ports: tuple[int, int]) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client of the operations port."""
    base_url = f"http://127.0.0.1:{ports[1]}"
    async with httpx2.AsyncClient(base_url=base_url, timeout=20) as client:
        yield client


async def counted(operations: httpx2.AsyncClient) -> dict[str, int]:
    """Return how many requests for the list of tasks each worker has answered with 200."""
    text = (await operations.get("/metrics")).text
    return {
        sample.labels["worker"]: int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "http_server_request_duration_seconds_count"
        and (sample.labels["route"], sample.labels["status"]) == ("/tasks", "200")
    }


async def ready(operations: httpx2.AsyncClient) -> bool:
    """Return whether all workers are ready, of which there have to be two."""
    response = await operations.get("/readyz")
    assert len(response.json()["workers"]) == 2
    return response.status_code == 200


async def until_ready(operations: httpx2.AsyncClient, *, expected: bool) -> None:
    """Return when the workers are ready, or are not."""
    with anyio.fail_after(60):
        while await ready(operations) is not expected:
            pass


def worker_pids(process: ServerProcess) -> list[int]:
    """Return the ids of the worker processes: children that serve, not Python's helper."""
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the test reads /proc")
async def test_two_workers_serve_as_one(
    workers: ServerProcess, api: httpx2.AsyncClient, operations: httpx2.AsyncClient
) -> None:
    """Two workers share the load, health and metrics; one may be killed; SIGTERM ends with 0."""
    await until_ready(operations, expected=True)
    assert (await api.post("/tasks", json={"title": "Milk"})).status_code == 201
    sent = 0
    while len(shares := await counted(operations)) < 2:
        assert sent < 60, f"one worker got all requests: {shares}"
        answers = [await api.get("/tasks") for _ in range(10)]
        assert {answer.json()[0]["title"] for answer in answers} == {"Milk"}
        sent += 10
    assert sum(shares.values()) == sent

    victim, survivor = worker_pids(workers)
    os.kill(victim, signal.SIGKILL)
    await until_ready(operations, expected=False)
    assert (await api.get("/tasks")).status_code == 200
    await until_ready(operations, expected=True)
    assert survivor in worker_pids(workers)
    assert len(worker_pids(workers)) == 2

    workers.terminate()
    assert await anyio.to_thread.run_sync(workers.wait) == 0


def test_limits_in_memory_refuse_several_workers(
    ports: tuple[int, int], postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a Redis to count in, two workers are refused in one sentence, before they start."""
    for variable in ("REDIS_URL", "TASKS_REDIS_URL"):
        monkeypatch.delenv(variable, raising=False)
    process = described(tmp_path, *ports, DATABASE_URL=postgres_url)
    with pytest.raises(ProcessError, match="ended before it was ready"):
        process.start()
    assert process.wait() == 1
    assert process.output == (
        "Error: tasks counts its rate limits in memory, which several workers can't share: "
        "set REDIS_URL (or TASKS_REDIS_URL), or run with --workers 1.\n"
    )
