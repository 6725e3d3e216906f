"""PostgreSQL and Valkey killed, or hanging, under load."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest

from bedplate import clock
from bedplate.testing.postgres import PostgresServer
from bedplate.testing.valkey import ValkeyServer

Headers = dict[str, str]
SignInMany = Callable[[str], Awaitable[list[Headers]]]
StartAPI = Callable[..., Awaitable[Any]]

MILK = {"title": "Milk"}
LONG = 30.0


@pytest.fixture
def mortal_valkey() -> Iterator[ValkeyServer]:
    """Give a Valkey of the test's own, which it may kill."""
    with ValkeyServer() as server:
        yield server


async def logged(instance: Any, event: str) -> None:
    """Return when the process has logged an event."""
    process = instance.process
    await asyncio.to_thread(process.wait_until_written, f'"{event}"', timeout_seconds=LONG)


async def ready(operations: httpx2.AsyncClient, instance: Any) -> None:
    """Return when the process is ready: a check of a second can be late while others load it."""
    async with asyncio.timeout(LONG):
        while (await operations.get(f"{instance.operations_url}/readyz")).status_code != 200:
            pass  # each answer takes its time


async def test_a_killed_postgresql_is_a_503_until_it_is_back(
    mortal_postgres: tuple[PostgresServer, str], start_api: StartAPI, sign_in_many: SignInMany,
    writers: Callable[..., Any], stored_in: Callable[[str], Awaitable[list[int]]],
) -> None:  # fmt: skip
    """After `kill -9` under load requests get 503 in bounded time; then, unrestarted, 201 again."""
    server, url = mortal_postgres
    people = await sign_in_many(url)
    instance = await start_api(url)
    pid = instance.process.pid
    async with (
        writers(instance.url, people, 20) as load,
        httpx2.AsyncClient(timeout=60) as operations,
    ):
        await load.until_acknowledged(100)
        await asyncio.to_thread(server.kill)
        await load.until_answered(503, 40)
        assert (await operations.get(f"{instance.operations_url}/readyz")).status_code == 503
        assert (await operations.get(f"{instance.operations_url}/healthz")).status_code == 200
        await asyncio.to_thread(server.start)
        await load.until_acknowledged(100)
        await ready(operations, instance)
    assert (instance.process.running, instance.process.pid) == (True, pid)
    assert load.lost == []
    assert set(load.statuses) == {201, 503}
    assert load.slowest < LONG
    # What was stored just before the kill may have been answered with 503, never the reverse.
    assert set(load.acknowledged) <= set(await stored_in(url))


async def test_a_killed_valkey_is_not_noticed_by_clients(
    mortal_valkey: ValkeyServer, postgres_url: str, start_api: StartAPI, sign_in_many: SignInMany,
    writers: Callable[..., Any],
) -> None:  # fmt: skip
    """After `kill -9` under load no request fails; the process counts until Valkey is back."""
    people = await sign_in_many(postgres_url)
    spender = people.pop()
    instance = await start_api(postgres_url, REDIS_URL=mortal_valkey.url)
    async with writers(instance.url, people, 20) as load:
        await load.until_acknowledged(100)
        await asyncio.to_thread(mortal_valkey.kill)
        await logged(instance, "rate_limit_store_lost")
        await load.until_acknowledged(100)
        async with httpx2.AsyncClient(base_url=instance.url, headers=spender, timeout=60) as client:
            writes = [(await client.post("/tasks", json=MILK)).status_code for _ in range(50)]
        # Where a minute ends meanwhile, a few more have become free.
        assert writes[:30] == [201] * 30
        assert 429 in writes[30:]
        await asyncio.to_thread(mortal_valkey.start)
        await logged(instance, "rate_limit_store_back")
        await load.until_acknowledged(100)
    assert load.lost == []
    assert set(load.statuses) == {201}
    assert instance.process.output.count('"rate_limit_store_lost"') == 1


async def test_a_hanging_valkey_holds_up_one_decision_at_most(
    mortal_valkey: ValkeyServer, postgres_url: str, start_api: StartAPI, sign_in_many: SignInMany
) -> None:
    """Of forty requests in a row one waits for Valkey, 200 ms, and all are served."""
    (user, *_) = await sign_in_many(postgres_url)
    instance = await start_api(postgres_url, REDIS_URL=mortal_valkey.url)
    async with httpx2.AsyncClient(base_url=instance.url, headers=user, timeout=60) as client:
        assert (await client.get("/tasks")).headers["ratelimit-remaining"] == "99"
        mortal_valkey.pause()
        began = clock.monotonic()
        answers = [await client.get("/tasks") for _ in range(40)]
        seconds = clock.monotonic() - began
        mortal_valkey.resume()
        await logged(instance, "rate_limit_store_back")
        after = await client.get("/tasks")
    assert {response.status_code for response in answers} == {200}
    # Each of them waiting would take eight seconds.
    assert 0.2 < seconds < 4
    assert instance.process.output.count('"rate_limit_store_lost"') == 1
    # Valkey counts again: what was asked before, what it only answered too late, and this.
    assert int(after.headers["ratelimit-remaining"]) >= 97
