"""A hall: a real server over PostgreSQL, a session in it, and its people."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.processes import ServerProcess, free_port
from bedplate.testing.valkey import ValkeyServer
from benchmarks.live.phones import Phone, connected

_BEDPLATE = Path(sys.executable).with_name("bedplate")
POLL = {"options": [{"text": "Yes"}, {"text": "No"}, {"text": "Perhaps"}, {"text": "Later"}]}


@dataclass
class Hall:
    """A server, and the host of one session in it."""

    port: int
    pids: list[int]
    host: Phone = field(init=False)
    token: str = ""
    code: str = ""
    path: str = ""

    async def open(self, places: int) -> None:
        """Create a session with so many places, and start it."""
        self.host = await Phone.connect(self.port)
        new = {"title": "Hall", "max_participants": places}
        made = (await self.host.ask("POST", "/api/v1/sessions", body=new)).json
        self.token, self.code = made["host_token"], made["code"]
        self.path = f"/api/v1/sessions/{made['id']}"
        await self.ask("POST", f"{self.path}/start")

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return what the host gets. Raises RuntimeError for anything but a success."""
        answer = await self.host.ask(method, path, self.token, body)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body!r}")
        return answer.json if answer.body else None

    async def poll(self, seconds: int | None = None, **policy: Any) -> str:
        """Add a poll, open it, and return its id."""
        new = {"type": "poll", "title": "Tea?", "config": POLL, "seconds": seconds}
        if policy:
            new["policy"] = policy
        activity: str = (await self.ask("POST", f"{self.path}/activities", new))["id"]
        await self.ask("POST", f"{self.path}/activities/{activity}/open")
        return activity

    async def close(self, activity: str) -> None:
        """Close an activity."""
        await self.ask("POST", f"{self.path}/activities/{activity}/close")

    async def joined(self, phones: list[Phone]) -> list[str]:
        """Let phones join, and return their tokens. Raises RuntimeError when one is refused."""
        answers = await asyncio.gather(*(self.join(phone, n) for n, phone in enumerate(phones)))
        for answer in answers:
            if answer.status != HTTPStatus.CREATED:
                raise RuntimeError(f"A join: {answer.status} {answer.body!r}")
        return [answer.json["token"] for answer in answers]

    def join(self, phone: Phone, number: int) -> Any:
        """Return the coroutine of one phone that joins."""
        body = {"code": self.code, "nickname": f"Guest {number}"}
        return phone.ask("POST", f"{self.path}/participants", body=body)


@contextmanager
def running_hall(workers: int) -> Iterator[Hall]:
    """Run the server with so many workers, on PostgreSQL; several share through Valkey."""
    with PostgresServer() as postgres, ValkeyServer() as valkey:
        port = free_port()
        environment = {
            "LIVE_DATABASE_URL": postgres.create_database(),
            "LIVE_DATABASE_AUTO_MIGRATE": "true",
            "LIVE_DATABASE_POOL_SIZE": "10",
            "LIVE_NEW_SESSIONS_PER_MINUTE": "100000",
            "LOG_LEVEL": "warning",
        }
        if workers > 1:
            environment["LIVE_REDIS_URL"] = valkey.url
        command = [sys.executable, str(_BEDPLATE), "run", "live", "--port", str(port)]
        command += ["--operations-port", str(free_port()), "--workers", str(workers)]
        url = f"http://127.0.0.1:{port}/health"
        with ServerProcess(command, url=url, env=environment) as server:
            yield Hall(port, processes_of(server.pid))


def processes_of(pid: int) -> list[int]:
    """Return a process and those that it started."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += processes_of(int(entry.name))
    return found


def memory_of(pids: list[int]) -> float:
    """Return the resident set of processes, in MiB."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_of(pids: list[int]) -> float:
    """Return the seconds of CPU that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def crowd(hall: Hall, count: int) -> tuple[list[Phone], list[str]]:
    """Return so many phones that have joined, and their tokens."""
    phones = await connected(hall.port, count)
    return phones, await hall.joined(phones)
