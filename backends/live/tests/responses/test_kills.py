"""Processes killed while votes come: all that was acknowledged is there, and counted once."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select

from bedplate.database import Database
from bedplate.testing.client import Client
from bedplate.testing.processes import ServerProcess, free_port
from live.models.responses import Response

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.responses.conftest import Check

Activity = dict[str, Any]
Start = Callable[[], Awaitable["Instance"]]
BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
LONG = 60.0


class Instance:
    """A process of live events, and a client of it."""

    def __init__(self, database_url: str, folder: Path) -> None:
        port = free_port()
        self.process = ServerProcess(
            [BEDPLATE, "run", "live", "--grace", "0", "--port", str(port),
             "--operations-port", str(free_port())],
            url=f"http://127.0.0.1:{port}/healthz",
            env={"DATABASE_URL": database_url, "LOG_LEVEL": "warning"},
            cwd=folder,
            timeout_seconds=LONG,
        )  # fmt: skip
        self.api = Client(base_url=f"http://127.0.0.1:{port}", timeout=LONG)


@pytest.fixture
async def start(database_url: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Give what starts a process on the test's database."""
    async with AsyncExitStack() as stack:

        async def start() -> Instance:
            instance = Instance(database_url, tmp_path)
            await stack.enter_async_context(instance.process)
            await stack.enter_async_context(instance.api)
            return instance

        yield start


async def voters_of(database: Database, activity: Activity) -> set[str]:
    """Return the ids of those whose answers are stored."""
    rows = select(Response.participant_id).where(Response.activity_id == UUID(activity["id"]))
    async with database.engine.connect() as connection:
        return {str(row.participant_id) for row in await connection.execute(rows)}


async def test_a_kill_loses_no_acknowledged_vote(
    start: Start, create_evening: Callable[..., Awaitable["Evening"]], database: Database,
    check: "Check",
) -> None:  # fmt: skip
    """`kill -9` in the middle of a wave: each vote that was answered 200 is stored.

    Who got no answer votes again, at the same process once it is back or at the other, and in the
    end everybody is counted once. The timer that the killed process started is ended by the others.
    """
    here, there = await start(), await start()
    evening = await create_evening(here.api)
    await evening.start()
    guests = await asyncio.gather(*(evening.join() for _ in range(40)))
    poll = await evening.add_open("poll", policy={"change": False})
    path, body = evening.responses(poll), {"answer": {"choices": ["a"]}}
    acknowledged: set[str] = set()

    async def vote(guest: "Guest", apis: list[Client]) -> None:
        for attempt in range(5_000):
            with contextlib.suppress(httpx2.TransportError):
                api = apis[attempt % len(apis)]
                answer = await api.put(path, json=body, headers=guest.headers)
                assert answer.status_code == 200, answer.text
                acknowledged.add(guest.id)
                return
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as wave:
        for number, guest in enumerate(guests):
            wave.create_task(vote(guest, [here.api] if number % 3 else [here.api, there.api]))
        while len(acknowledged) < 3:  # noqa: ASYNC110 - nobody notifies us
            await asyncio.sleep(0)
        await asyncio.to_thread(here.process.kill)
        assert set(acknowledged) <= await voters_of(database, poll)
        await asyncio.to_thread(here.process.start)
    assert await check(poll) == len(guests)
    assert (await evening.results(poll))["result"]["counts"] == {"a": len(guests), "b": 0}
    await evening.close(poll)
    timed = await evening.add_open("poll", seconds=1)
    await asyncio.to_thread(here.process.kill)
    at = f"{evening.path}/activities/{timed['id']}"
    shown = timed
    async with asyncio.timeout(LONG):
        while shown["state"] == "open":
            await asyncio.sleep(0.05)
            shown = (await there.api.get(at, headers=evening.host)).json()
    assert (shown["state"], shown["closed_by"]) == ("closed", "timer")
