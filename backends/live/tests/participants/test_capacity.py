"""Places hold exactly, however many people want them at once and wherever they come in."""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bedplate.database import Database
from bedplate.realtime import Channels
from bedplate.testing.client import client
from bedplate.testing.processes import ServerProcess, free_port
from live.events.service import Events
from live.participants.exceptions import SessionFull
from live.participants.service import Join, Participants, Place

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeEvening = Callable[..., Awaitable["Evening"]]
MakeApp = Callable[..., FastAPI]
BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
SECRET = "0123456789abcdef" * 4


async def stored(database: Database) -> tuple[int, int, int]:
    """Return how many are in the only session, how many it says, and how many names they have."""
    in_it = "FROM live_participant WHERE state = 'joined'"
    queries = (
        f"SELECT count(*) {in_it}",
        "SELECT participants FROM live_session",
        f"SELECT count(DISTINCT nickname) {in_it}",
    )
    async with database.engine.connect() as connection:
        numbers = [(await connection.execute(text(query))).scalar_one() for query in queries]
    return numbers[0], numbers[1], numbers[2]


async def test_a_thousand_people_want_a_hundred_places(
    make_evening: MakeEvening, database: Database
) -> None:
    """At once: exactly a hundred get one, all others are notified that it is full."""
    evening = await make_evening(max_participants=100)
    await evening.start()
    events = Events(Channels(None, namespace="test", fast=[]))
    async with Participants(database, events) as one, Participants(database, events) as two:
        joins = [
            participants.join(UUID(evening.id), Join(evening.code, f"Guest {number % 60}", None))
            for number in range(500)
            for participants in (one, two)
        ]
        places = await asyncio.gather(*joins, return_exceptions=True)
    kinds = Counter(type(place) for place in places)
    assert kinds == {Place: 100, SessionFull: 900}
    assert await stored(database) == (100, 100, 100)


async def test_places_hold_while_people_are_kicked_and_come_back(
    make_evening: MakeEvening, make_app: MakeApp, database: Database
) -> None:
    """Joins, kicks, bans, rejoins and smaller halls at random, by two apps on one database.

    What is stored always is what the session says, and never more than there are places.
    """
    evening = await make_evening(max_participants=20)
    await evening.start()
    chance = random.Random(7)
    guests: list[dict[str, Any]] = []
    async with client(make_app()) as other:

        async def step(api: httpx2.AsyncClient, what: str) -> int:
            host: dict[str, Any] = {"headers": evening.host}
            if what == "join" or not guests:
                body = {"code": evening.code, "nickname": "Anna"}
                response = await api.post(f"{evening.path}/participants", json=body)
                if response.status_code == 201:
                    guests.append(response.json())
            elif what == "places":
                places = {"max_participants": chance.randint(10, 30)}
                response = await api.patch(evening.path, json=places, **host)
            elif what == "rejoin":
                token = {"Authorization": f"Bearer {chance.choice(guests)['token']}"}
                response = await api.post(f"{evening.path}/participants/rejoin", headers=token)
            else:
                who = chance.choice(guests)["id"]
                response = await api.post(f"{evening.path}/participants/{who}/{what}", **host)
            return response.status_code

        kinds = ["join"] * 6 + ["kick"] * 3 + ["ban", "places"] + ["rejoin"] * 4
        for _ in range(8):
            steps = [step(chance.choice([evening.api, other]), chance.choice(kinds))
                     for _ in range(30)]  # fmt: skip
            statuses = set(await asyncio.gather(*steps))
            assert statuses <= {200, 201, 204, 403, 409}, statuses
            now = await evening.get()
            people, counted, names = await stored(database)
            assert people == counted == names == now["participants"]
            assert people <= now["max_participants"]


@pytest.fixture
async def processes(database_url: str, tmp_path: Path) -> AsyncIterator[list[httpx2.AsyncClient]]:
    """Give clients of two processes on one database."""
    async with AsyncExitStack() as stack:

        async def start(number: int) -> httpx2.AsyncClient:
            port, operations_port = free_port(), free_port()
            folder = tmp_path / str(number)
            folder.mkdir()
            process = ServerProcess(
                [BEDPLATE, "run", "live", "--grace", "0.3", "--port", str(port),
                 "--operations-port", str(operations_port)],
                url=f"http://127.0.0.1:{port}/health",
                env={"LIVE_DATABASE_URL": database_url, "LIVE_TOKEN_SECRET": SECRET},
                cwd=folder,
                timeout_seconds=60,
            )  # fmt: skip
            await stack.enter_async_context(process)
            limits = httpx2.Limits(max_connections=40)
            api = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits)
            return await stack.enter_async_context(api)

        yield list(await asyncio.gather(start(1), start(2)))


async def test_two_processes_let_in_as_many_as_there_are_places(
    processes: list[httpx2.AsyncClient], database: Database
) -> None:
    """600 joins by two processes, of which half come twice with a key, for 100 places.

    While it is full 20 are kicked, and 20 others get their places. A token of one process is
    known to both.
    """
    one, two = processes
    body = {"title": "Evening", "max_participants": 100}
    made = (await one.post("/api/v1/sessions", json=body)).json()
    path = f"/api/v1/sessions/{made['id']}"
    host = {"Authorization": f"Bearer {made['host_token']}"}
    assert (await two.post(f"{path}/start", headers=host)).status_code == 200

    async def join(api: httpx2.AsyncClient, number: int) -> httpx2.Response:
        join = {"code": made["code"], "nickname": "Anna"}
        key = {"Idempotency-Key": f"{number:016}"}
        return await api.post(f"{path}/participants", json=join, headers=key)

    joins = [join(api, number) for number in range(300) for api in (one, two)]
    responses = await asyncio.gather(*joins)
    assert {response.status_code for response in responses} == {201, 409}
    places = {r.json()["id"]: r.text for r in responses if r.status_code == 201}
    assert len(places) == 100
    assert {r.text for r in responses if r.status_code == 201} == set(places.values())
    assert await stored(database) == (100, 100, 100)

    kicked = [f"{path}/participants/{who}/kick" for who in list(places)[:20]]
    kicks = [one.post(kick, headers=host) for kick in kicked]
    others = [join(api, number) for number in range(1000, 1100) for api in (one, two)]
    await asyncio.gather(*kicks, *others)
    await asyncio.gather(*(join(two, number) for number in range(2000, 2040)))
    assert await stored(database) == (100, 100, 100)

    stays = json.loads(list(places.values())[-1])
    token = {"Authorization": f"Bearer {stays['token']}"}
    for api in processes:
        back = (await api.post(f"{path}/participants/rejoin", headers=token)).json()
        assert back == {**stays, "renamed": False}
