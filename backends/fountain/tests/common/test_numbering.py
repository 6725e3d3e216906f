"""Stored first, seen with a number: concurrent creators, what is left unfinished, odd answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bedplate.clients import LocalServices, UpstreamUnavailable
from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.problems import ServiceUnavailable
from bedplate.testing.client import Client
from bedplate.testing.clock import SettableClock
from fountain.common import sequence
from fountain.common.service import UNFINISHED_AFTER, create, delete_unfinished
from fountain.scripts.repository import SCRIPTS

Services = Mapping[str, Client]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]
HAMLET: dict[str, Any] = {"title": "Hamlet", "author": None, "description": None}


class Numbers:
    """A sequence service whose answers, and their time, the test controls."""

    def __init__(self) -> None:
        self.answer: object = {"sequenceNumber": 7}
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.app = FastAPI()
        self.app.add_api_route("/sequence", self.sequence, methods=["POST"])

    async def sequence(self) -> object:
        """Answer."""
        self.asked.set()
        await self.go_on.wait()
        return self.answer


@pytest.fixture
def numbers() -> Numbers:
    """Give a sequence service that the test controls."""
    return Numbers()


@pytest.fixture
async def service(numbers: Numbers) -> AsyncIterator[ServiceClient]:
    """Give the client of that service."""
    local_services = LocalServices({"central-sequence"})
    with local_services.run("central-sequence", numbers.app, {}):
        yield ServiceClient.beside("central-sequence", local_services, attempts=1, timeout=20.0)


@pytest.fixture
async def database(open_database: OpenDatabase) -> AsyncIterator[Database]:
    """Give the database of scripts."""
    async with open_database("scripts") as opened:
        yield opened


async def rows(database: Database) -> list[tuple[int, int | None]]:
    """Return identifier and number of every script, including the invisible ones."""
    async with database.engine.connect() as connection:
        result = await connection.execute(
            text("SELECT id, sequence_number FROM scripts ORDER BY 1")
        )
        return [(row[0], row[1]) for row in result]


async def test_concurrent_creators_get_every_number_once(services: Services) -> None:
    """Thirty-two clients make scripts, headings and sessions: numbers from 1 on, none left out."""
    scripts, sessions = services["scripts"], services["session-context"]
    first = await scripts.post("/scripts", json={"title": "First"})
    numbers = [first.json()["sequenceNumber"]]

    async def create_three(number: int) -> None:
        for kind in (number, number + 1, number + 2):
            if kind % 3 == 0:
                answer = await scripts.post("/scripts", json={"title": "A script"})
            elif kind % 3 == 1:
                answer = await scripts.post("/scripts/1/sections", json={"title": "A heading"})
            else:
                answer = await sessions.post("/sessions", json={"userId": number})
            assert answer.status_code == 201
            if "sequenceNumber" in answer.json():
                numbers.append(answer.json()["sequenceNumber"])

    async with asyncio.TaskGroup() as group:
        for number in range(32):
            group.create_task(create_three(number))
    request = {"elementType": "session", "elementIds": list(range(1, 33))}
    numbers_held = await services["central-sequence"].post("/sequence/lookup", json=request)
    numbers += [item["sequenceNumber"] for item in numbers_held.json()]
    assert sorted(numbers) == list(range(1, 98))


async def test_what_is_left_unfinished_is_swept(
    database: Database, service: ServiceClient, numbers: Numbers, clock: SettableClock
) -> None:
    """A row without a number goes when it is old; a young one and one with a number stay."""
    await create(SCRIPTS, database, service, **HAMLET)
    numbers.go_on.clear()
    unfinished = asyncio.create_task(create(SCRIPTS, database, service, **HAMLET))
    await numbers.asked.wait()
    while await rows(database) != [(1, 7), (2, None)]:  # noqa: ASYNC110 - a row is no event
        await asyncio.sleep(0.01)
    clock.advance(seconds=UNFINISHED_AFTER.total_seconds())
    await delete_unfinished(database, SCRIPTS)
    assert await rows(database) == [(1, 7), (2, None)]
    clock.advance(seconds=1)
    await delete_unfinished(database, SCRIPTS)
    assert await rows(database) == [(1, 7)]
    numbers.go_on.set()
    with pytest.raises(ServiceUnavailable, match="too long"):
        await unfinished
    assert await rows(database) == [(1, 7)]


async def test_an_identifier_is_never_given_out_twice(
    database: Database, service: ServiceClient, numbers: Numbers
) -> None:
    """What was not stored leaves its identifier unused, so its number can't become another's."""
    numbers.answer = {}
    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await create(SCRIPTS, database, service, **HAMLET)
    numbers.answer = {"sequenceNumber": 8}
    assert await create(SCRIPTS, database, service, **HAMLET) == (3, 8)
    assert await rows(database) == [(3, 8)]


async def test_a_number_is_stored_once(database: Database, service: ServiceClient) -> None:
    """A row that has its number keeps it, whoever comes late with another."""
    assert await create(SCRIPTS, database, service, **HAMLET) == (1, 7)
    async with database.autocommit() as session:
        assert not await SCRIPTS.set_number(session, 1, 9)
    assert await rows(database) == [(1, 7)]


async def test_numbers_of_many_are_looked_up_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup has a limit; the numbers beyond it aren't lost."""
    asked = []

    class Sequence:
        name = "central-sequence"

        async def post(
            self, path: str, body: dict[str, Any], *, repeatable: bool
        ) -> list[dict[str, int]]:
            asked.append(body["elementIds"])
            return [{"elementId": at, "sequenceNumber": -at} for at in body["elementIds"]]

    monkeypatch.setattr(sequence, "MAX_IDS_PER_LOOKUP", 2)
    service: Any = Sequence()
    found = await sequence.numbers_of(service, "script", [1, 2, 3, 4, 5])
    assert found == [(1, -1), (2, -2), (3, -3), (4, -4), (5, -5)]
    assert asked == [[1, 2], [3, 4], [5]]


@pytest.mark.parametrize("url_of", ["sqlite"], indirect=True)
async def test_an_answer_without_a_number_is_a_503(
    database: Database, service: ServiceClient, numbers: Numbers
) -> None:
    """An answer without an integer is not a number, and nothing is stored."""
    answers: list[object] = [{}, [], None, {"sequenceNumber": "1"}, {"sequenceNumber": True}]
    for numbers.answer in answers:
        with pytest.raises(UpstreamUnavailable):
            await create(SCRIPTS, database, service, **HAMLET)
    assert await rows(database) == []


@pytest.mark.parametrize("url_of", ["sqlite"], indirect=True)
async def test_who_gives_up_leaves_nothing_to_see(
    database: Database, service: ServiceClient, numbers: Numbers
) -> None:
    """A request that is cancelled while the number is asked for leaves a row that is swept."""
    numbers.go_on.clear()
    creating = asyncio.create_task(create(SCRIPTS, database, service, **HAMLET))
    await numbers.asked.wait()
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert [number for _, number in await rows(database)] == [None]
