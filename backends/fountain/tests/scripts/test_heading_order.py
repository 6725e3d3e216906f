"""The order of headings: the sequence service owns their numbers, a script follows it."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.clients import UpstreamUnavailable
from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.testing.client import Client
from bedplate.testing.clock import SettableClock
from fountain.scripts import heading_order, repository
from fountain.scripts.schemas import Element

Services = Mapping[str, Client]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]


@pytest.fixture
async def both(with_scripts: Services) -> Services:
    """Give the two services; the script 1 (number 1) has the headings 1 to 4 (numbers 2 to 5)."""
    await with_scripts["scripts"].post("/scripts", json={"title": "Hamlet"})
    for title in ("One", "Two", "Three", "Four"):
        await with_scripts["scripts"].post("/scripts/1/sections", json={"title": title})
    return with_scripts


def elements(**numbers: int) -> list[dict[str, int]]:
    """Return what a reorder lists: `elements(h1=3, h2=2)`."""
    return [{"headingId": int(name[1:]), "newSequence": new} for name, new in numbers.items()]


async def reorder(api: Client, **numbers: int) -> Any:
    """Reorder the headings of script 1 and return the answer."""
    return await api.post("/scripts/1/sections/reorder", json={"elements": elements(**numbers)})


async def listed(api: Client) -> dict[int, int]:
    """Return the numbers of the headings of script 1, and see that they come in order."""
    result = (await api.get("/scripts/1/sections")).json()
    assert result == sorted(result, key=lambda item: item["sequenceNumber"])
    structure = (await api.get("/scripts/1/structure")).json()
    assert structure["sections"] == result
    return {item["headingId"]: item["sequenceNumber"] for item in result}


async def numbers_held(api: Client) -> dict[int, int]:
    """Return the numbers that the sequence service has for the headings."""
    request = {"elementType": "section", "elementIds": [1, 2, 3, 4]}
    result = (await api.post("/sequence/lookup", json=request)).json()
    return {item["elementId"]: item["sequenceNumber"] for item in result}


async def test_headings_exchange_their_numbers(both: Services) -> None:
    """After a reorder the list, the structure and the sequence service agree."""
    answer = await reorder(both["scripts"], h1=5, h4=2)
    assert (answer.status_code, answer.json()) == (200, {"message": "Reorder successful."})
    expected = {4: 2, 2: 3, 3: 4, 1: 5}
    assert await listed(both["scripts"]) == await numbers_held(both["central-sequence"]) == expected
    assert list(await listed(both["scripts"])) == [4, 2, 3, 1]
    assert (await reorder(both["scripts"])).status_code == 200


async def test_an_order_that_cannot_be_is_refused(both: Services) -> None:
    """Unknown headings, doubles, foreign numbers and gaps are a 400, and nothing changes."""
    await both["scripts"].post("/scripts", json={"title": "Macbeth"})
    await both["scripts"].post("/scripts/2/sections", json={"title": "Another script's"})
    before = await listed(both["scripts"])
    refused: tuple[list[dict[str, int]], ...] = (
        elements(h1=3, h9=2),
        elements(h1=7, h5=2),
        elements(h1=3, h2=3),
        elements(h1=1),
        elements(h1=3),
        elements(h1=99),
        elements(h1=2) + elements(h1=2),
        [{"headingId": 1}],
        [{"newSequence": 1}],
        [{}],
    )
    for request in refused:
        answer = await both["scripts"].post(
            "/scripts/1/sections/reorder", json={"elements": request}
        )
        assert (request, answer.status_code) == (request, 400)
        assert answer.json().keys() == {"message"}
    assert await listed(both["scripts"]) == await numbers_held(both["central-sequence"]) == before


async def test_concurrent_reorders_end_in_agreement(both: Services) -> None:
    """Sixteen clients reorder at once: afterwards the script shows what the service holds."""
    numbers = [2, 3, 4, 5]

    async def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(3):
            request = dict(zip(("h1", "h2", "h3", "h4"), chance.sample(numbers, 4), strict=True))
            assert (await reorder(both["scripts"], **request)).status_code == 200
            structure = (await both["scripts"].get("/scripts/1/structure")).json()
            shown = [item["sequenceNumber"] for item in structure["sections"]]
            assert shown == numbers

    async with asyncio.TaskGroup() as group:
        for seed in range(16):
            group.create_task(work(seed))
    assert await listed(both["scripts"]) == await numbers_held(both["central-sequence"])


async def test_numbers_are_read_again_after_a_reorder(
    both: Services, open_database: OpenDatabase, clock: SettableClock
) -> None:
    """A minute after a reorder the copy follows the service once more, and only once."""
    await reorder(both["scripts"], h1=3, h2=2)
    exchange = [{"elementId": 3, "newSequence": 5}, {"elementId": 4, "newSequence": 4}]
    unseen = {"elementType": "section", "elements": exchange}
    await both["central-sequence"].post("/sequence/reorder", json=unseen)
    service = both["central-sequence"]
    plain = httpx2.AsyncClient(transport=service._transport, base_url=service.base_url)
    async with open_database("scripts") as database, ServiceClient("it", plain) as sequence:
        await heading_order.recheck(database, sequence)
        assert (await listed(both["scripts"]))[3] == 4
        clock.advance(seconds=heading_order.RECHECK_AFTER.total_seconds() + 1)
        await heading_order.recheck(database, sequence)
        assert await listed(both["scripts"]) == await numbers_held(both["central-sequence"])
        exchange[0]["newSequence"], exchange[1]["newSequence"] = 4, 5
        await both["central-sequence"].post("/sequence/reorder", json=unseen)
        await heading_order.recheck(database, sequence)
        assert (await listed(both["scripts"]))[3] == 5


async def test_an_older_copy_never_replaces_a_newer_one(
    both: Services, open_database: OpenDatabase
) -> None:
    """Numbers that were read before others are dropped when they arrive after them."""
    async with open_database("scripts") as database:
        async with database.write() as session:
            early = await repository.begin_copy(session, 1)
        async with database.write() as session:
            late = await repository.begin_copy(session, 1)
        async with database.write() as session:
            await repository.store_copy(session, 1, late, [(1, 3), (2, 2)])
        async with database.write() as session:
            await repository.store_copy(session, 1, early, [(1, 2), (2, 3)])
    assert await listed(both["scripts"]) == {2: 2, 1: 3, 3: 4, 4: 5}


class LostAnswers:
    """A gateway before the sequence service: it passes reorders on, and loses their answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; answer a reorder with 504, whatever became of it."""
        if scope["path"] != "/sequence/reorder":
            await self._app(scope, receive, send)
            return

        async def lose(message: Message) -> None:
            del message

        await self._app(scope, receive, lose)
        await send({"type": "http.response.start", "status": 504, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_a_reorder_whose_answer_is_lost_is_followed(
    both: Services, open_database: OpenDatabase, clock: SettableClock
) -> None:
    """The answer is a 503 and the list keeps its order; when it is due, the list follows."""
    service = both["central-sequence"]
    direct: Any = service._transport
    transport = httpx2.ASGITransport(LostAnswers(direct.app))
    lossy = httpx2.AsyncClient(transport=transport, base_url=service.base_url)
    before = await listed(both["scripts"])
    request = [Element(heading_id=1, new_sequence=3), Element(heading_id=2, new_sequence=2)]
    async with open_database("scripts") as database, ServiceClient("it", lossy) as sequence:
        with pytest.raises(UpstreamUnavailable):
            await heading_order.reorder(database, sequence, 1, request)
        assert await numbers_held(service) != before
        assert await listed(both["scripts"]) == before
        clock.advance(seconds=heading_order.RECHECK_AFTER.total_seconds())
        await heading_order.recheck(database, sequence)
        assert await listed(both["scripts"]) == await numbers_held(service)
