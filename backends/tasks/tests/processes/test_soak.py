"""200 clients, some of whom leave in the middle, while both servers are stopped: nothing stays."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import psutil
import pytest

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.valkey import ValkeyServer

Headers = dict[str, str]
SignInMany = Callable[[str], Awaitable[list[Headers]]]
StartAPI = Callable[..., Awaitable[Any]]

CLIENTS = 200
LONG = 60.0
POOL_SIZE = 10
"""Of the settings of the API; the pool closes what a burst opened beyond them."""
ANSWERS = {b"200", b"201", b"404", b"429", b"503"}


@dataclass
class Crowd:
    """Clients that send requests on connections of their own until they are stopped.

    Every fourth leaves: before its request is complete, before the answer, or amid it.
    """

    url: str
    people: Iterator[Headers]
    statuses: Counter[bytes] = field(default_factory=Counter)
    left: int = 0
    odd: list[bytes] = field(default_factory=list)
    stopping: bool = False

    async def client(self, number: int) -> None:
        """Send one request after the other; each fortieth by another person."""
        chance = random.Random(number)
        authorization = next(self.people)["Authorization"]
        while not self.stopping:
            if chance.random() < 0.025:
                authorization = next(self.people)["Authorization"]
            leaves = chance.choice(("", "", "", chance.choice(("request", "answer", "amid"))))
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                async with asyncio.timeout(LONG):
                    await self._exchange(request(chance, authorization), leaves)

    async def _exchange(self, sent: bytes, leaves: str) -> None:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(sent[:-5] if leaves == "request" else sent)
            await writer.drain()
            if leaves in {"request", "answer"}:
                self.left += 1
                await asyncio.sleep(0.002)
                return
            status = await reader.readexactly(12)
            if leaves == "amid":
                self.left += 1
                return
            self.statuses[status[9:]] += 1
            rest = await reader.read()
            if status[9:] not in ANSWERS:
                self.odd.append(status + rest)
        finally:
            writer.transport.abort()


def request(chance: random.Random, authorization: str) -> bytes:
    """Return a read, a list or a write."""
    method, target, body = chance.choice(
        (
            ("GET", "/tasks?limit=20", ""),
            ("GET", "/tasks/999999", ""),
            ("POST", "/tasks", '{"title":"Milk"}'),
        )
    )
    head = (
        f"{method} {target} HTTP/1.1",
        "Host: soak",
        "Connection: close",
        f"Authorization: {authorization}",
        *(("Content-Type: application/json", f"Content-Length: {len(body)}") if body else ()),
    )
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


async def backends_of(url: str) -> list[asyncpg.Record]:
    """Return what the connections of the API do in PostgreSQL."""
    connection = await asyncpg.connect(url)
    try:
        return list(
            await connection.fetch(
                "SELECT state, query FROM pg_stat_activity WHERE application_name = 'tasks'"
            )
        )
    finally:
        await connection.close()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Return when a condition holds; fail when it doesn't in a minute."""
    async with asyncio.timeout(LONG):
        while not await condition():  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.1)


def connections_of(pid: int, names: dict[int, str]) -> Counter[str]:
    """Return how many connections a process has by their other end, and `client` for all others."""
    ends = psutil.Process(pid).net_connections("tcp")
    others = [each.raddr for each in ends if each.status != psutil.CONN_LISTEN]
    return Counter(names.get(other.port, "client") for other in others)


@pytest.fixture
def mortal_valkey() -> Iterator[ValkeyServer]:
    """Give a Valkey of the test's own, which it may stop."""
    with ValkeyServer() as server:
        yield server


@pytest.mark.soak
@pytest.mark.parametrize("compiled", ["true", "false"])
async def test_nothing_is_left_behind(
    compiled: str, mortal_postgres: tuple[PostgresServer, str], mortal_valkey: ValkeyServer,
    start_api: StartAPI, sign_in_many: SignInMany,
) -> None:  # fmt: skip
    """No connection and no transaction is left after clients that left and servers that stopped."""
    server, url = mortal_postgres
    people = await sign_in_many(url)
    instance = await start_api(url, REDIS_URL=mortal_valkey.url, COMPILED_ROUTES=compiled)
    seconds = float(os.environ.get("SOAK_SECONDS", "60"))
    names = {urlsplit(url).port or 0: "PostgreSQL", urlsplit(mortal_valkey.url).port or 0: "Valkey"}
    crowd = Crowd(instance.url, iter(people * 1000))
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(crowd.client(number))
        await asyncio.sleep(seconds / 4)
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(seconds / 8)
        await asyncio.to_thread(server.start)
        await asyncio.sleep(seconds / 8)
        await asyncio.to_thread(mortal_valkey.stop)
        await asyncio.sleep(seconds / 8)
        await asyncio.to_thread(mortal_valkey.start)
        await asyncio.sleep(seconds / 8)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(mortal_valkey.stop)
        await asyncio.sleep(seconds / 8)
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(mortal_valkey.start)
        await asyncio.sleep(seconds / 8)
        crowd.stopping = True

    async def idle() -> bool:
        return all(each["state"] == "idle" for each in await backends_of(url))

    async def few_connections() -> bool:
        counted = connections_of(instance.process.pid, names)
        return (
            not counted["client"] and counted["PostgreSQL"] <= POOL_SIZE and counted["Valkey"] <= 1
        )

    await until(idle)
    await until(few_connections)
    async with httpx2.AsyncClient(base_url=instance.operations_url, timeout=60) as operations:
        await until(lambda: is_ready(operations))
        metrics = (await operations.get("/metrics")).text
    assert any(
        line.startswith("db_pool_connections") and '"used"} 0.0' in line
        for line in metrics.splitlines()
    ), metrics
    assert crowd.odd == []
    assert crowd.left > 100
    assert crowd.statuses[b"200"] > 100
    assert crowd.statuses[b"503"] > 0
    await asyncio.to_thread(instance.process.stop)
    assert await backends_of(url) == []
    print(dict(crowd.statuses), "left", crowd.left)  # noqa: T201 - what a soak is run for


async def is_ready(operations: httpx2.AsyncClient) -> bool:
    """Return whether the process says that it is ready."""
    return (await operations.get("/readyz")).status_code == 200
