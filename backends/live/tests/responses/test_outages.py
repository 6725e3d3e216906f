"""PostgreSQL killed in the middle of the votes: bounded 503s, and true counters afterwards."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bedplate import clock
from bedplate.database import Database
from bedplate.database_state import migrations_of
from bedplate.settings import Environment
from bedplate.testing.postgres import PostgresServer
from live.backend import backend
from live.settings import LiveSettings

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.responses.conftest import Check

LONG = 60.0


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Give a PostgreSQL of the test's own, which it may kill."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def settings(server: PostgresServer) -> LiveSettings:
    """Give settings for a migrated database of that server, with short limits."""
    settings = LiveSettings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(server.create_database()),
        database_auto_migrate=False,
        database_connect_timeout_seconds=1,
        database_command_timeout_seconds=2,
        database_pool_timeout_seconds=2,
        token_secret=SecretStr("5" * 64),
    )
    async with Database.open(settings) as database:
        migrations = migrations_of(backend)
        assert migrations is not None
        await migrations.upgrade(database.engine)
    return settings


async def test_votes_go_on_when_postgresql_is_back(
    evening: "Evening", server: PostgresServer, check: "Check"
) -> None:
    """Guests change their votes all the time, while the server is killed and started again.

    Each call is answered within some seconds, by a 200 or a 503 that says when to try again. In the
    end each guest's last acknowledged vote is stored, and the counters are those of the votes.
    """
    guests = [await evening.join() for _ in range(12)]
    poll = await evening.add_open("poll")
    path = evening.responses(poll)
    seen: Counter[int] = Counter()
    goes_on = True

    async def vote(guest: "Guest") -> str:
        number = 0
        while True:
            number += 1
            choice = "ab"[number % 2]
            began = clock.monotonic()
            answer = await evening.api.put(
                path, json={"answer": {"choices": [choice]}}, headers=guest.headers
            )
            assert clock.monotonic() - began < 15
            seen[answer.status_code] += 1
            if answer.status_code == 200:
                if not goes_on:
                    return choice
            else:
                assert answer.json()["code"] in {"database_unavailable", "queue_full"}
                assert int(answer.headers["retry-after"]) > 0
                await asyncio.sleep(0.1)

    async def until(status: int, more: int) -> None:
        goal = seen[status] + more
        while seen[status] < goal:  # noqa: ASYNC110 - nobody notifies us
            await asyncio.sleep(0.01)

    with evening.api.expecting(503):
        async with asyncio.timeout(LONG), asyncio.TaskGroup() as voting:
            votes = [voting.create_task(vote(guest)) for guest in guests]
            await until(200, 30)
            await asyncio.to_thread(server.kill)
            await until(503, 12)
            await asyncio.to_thread(server.start)
            await until(200, 30)
            goes_on = False
    last = Counter(vote.result() for vote in votes)
    assert await check(poll) == len(guests)
    shown = await evening.results(poll)
    assert shown["result"]["counts"] == {"a": last["a"], "b": last["b"]}
