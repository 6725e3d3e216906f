"""The database is down: a 503 in bounded time, nothing half done, and recovery afterwards.

And what it stores: no number twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import delete

from bedplate.database import Database
from bedplate.testing.client import Client
from bedplate.testing.proxy import FaultProxy
from fountain.central_sequence.models import Element
from fountain.central_sequence.repository import add

Services = Mapping[str, Client]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]
UrlOf = Callable[[str], str]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]

NAME = "central-sequence"
BOUNDS = {
    "database_connect_timeout_seconds": 0.5,
    "database_command_timeout_seconds": 0.5,
    "database_pool_timeout_seconds": 0.5,
}
REQUESTS = {
    "/sequence": {"elementType": "section", "elementId": 3},
    "/sequence/lookup": {"elementType": "section", "elementIds": [1, 2]},
    "/sequence/version": {"elementType": "section", "elementId": 1, "newVersionData": {}},
    "/sequence/reorder": {
        "elementType": "section",
        "elements": [{"elementId": 1, "newSequence": 2}, {"elementId": 2, "newSequence": 1}],
    },
}


@pytest.fixture
async def proxy(postgres_url_of: UrlOf) -> AsyncIterator[FaultProxy]:
    """Give the network between the service and its PostgreSQL."""
    async with FaultProxy(postgres_url_of(NAME)) as proxy:
        yield proxy


@pytest.mark.parametrize("url_of", ["postgresql"], indirect=True)
@pytest.mark.parametrize("outage", ["refuse", "hang"])
async def test_without_its_database_it_answers_503(
    outage: str, proxy: FaultProxy, open_services: OpenServices
) -> None:
    """Every operation answers 503 while the database is down, and works afterwards."""
    changes = {"central_sequence": {"database_url": proxy.url, **BOUNDS}}
    async with open_services(NAME, **changes) as services, asyncio.timeout(30):
        api = services[NAME]
        for identifier in (1, 2):
            element = {"elementType": "section", "elementId": identifier}
            assert (await api.post("/sequence", json=element)).status_code == 201
        await getattr(proxy, outage)()
        with api.expecting(503):
            for path, body in REQUESTS.items():
                answer = await api.post(path, json=body)
                assert answer.status_code == 503
                assert answer.json().keys() == {"message"}
        await proxy.heal()
        answers = {path: await api.post(path, json=body) for path, body in REQUESTS.items()}
        assert answers["/sequence"].json() == {"sequenceNumber": 3}
        assert answers["/sequence/version"].json() == {"versionNumber": 2}
        numbers_held = [item["sequenceNumber"] for item in answers["/sequence/lookup"].json()]
        assert numbers_held == [1, 2]
        assert answers["/sequence/reorder"].status_code == 200


async def test_a_number_is_never_given_out_again(open_database: OpenDatabase) -> None:
    """The highest number of an element that is gone belongs to nobody after it."""
    async with open_database(NAME) as database:
        async with database.write() as session:
            assert [await add(session, "section", at) for at in (1, 2)] == [1, 2]
        async with database.engine.begin() as connection:
            await connection.execute(delete(Element).where(Element.number == 2))
        async with database.write() as session:
            assert await add(session, "section", 3) == 3
