"""Concurrent requests, and the database down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager

import pytest

from bedplate.testing.client import Client
from bedplate.testing.proxy import FaultProxy

Services = Mapping[str, Client]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]
UrlOf = Callable[[str], str]

WRITERS = 32
BOUNDS = {
    "database_connect_timeout_seconds": 0.5,
    "database_command_timeout_seconds": 0.5,
    "database_pool_timeout_seconds": 0.5,
}
CHARACTER = {"name": "Juliet", "description": "A Capulet"}
PARAPHRASE = {"originalId": 1, "text": "A young woman", "commentary": "Shorter"}


async def test_concurrent_writers_lose_nothing(open_services: OpenServices) -> None:
    """What 32 writers store by way of two instances is all there, each with its identifier."""
    async with open_services("characters") as first, open_services("characters") as second:
        apis = [first["characters"], second["characters"]]
        await apis[0].post("/characters", json=CHARACTER)

        async def write(writer: int) -> tuple[int, str]:
            body = {**PARAPHRASE, "text": str(writer)}
            made = await apis[writer % 2].post("/characters/1/paraphrases", json=body)
            assert made.status_code == 201, made.text
            return made.json()["paraphraseId"], made.json()["text"]

        made = await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
        listed = (await apis[1].get("/characters/1/paraphrases")).json()
    assert [(item["paraphraseId"], item["text"]) for item in listed] == sorted(made)
    assert {text for _, text in made} == {str(writer) for writer in range(WRITERS)}


@pytest.fixture
async def proxy(postgres_url_of: UrlOf) -> AsyncIterator[FaultProxy]:
    """Give the network between the service and its PostgreSQL."""
    async with FaultProxy(postgres_url_of("characters")) as proxy:
        yield proxy


@pytest.mark.parametrize("url_of", ["postgresql"], indirect=True)
async def test_without_its_database_it_answers_503(
    proxy: FaultProxy, open_services: OpenServices
) -> None:
    """Reads and writes answer 503 while the database is down, and work afterwards."""
    changes = {"characters": {"database_url": proxy.url, **BOUNDS}}
    async with open_services("characters", **changes) as services, asyncio.timeout(30):
        api = services["characters"]
        assert (await api.post("/characters", json=CHARACTER)).status_code == 201
        await proxy.refuse()
        with api.expecting(503):
            for answer in (
                await api.get("/characters"),
                await api.get("/characters/1"),
                await api.get("/characters/1/paraphrases"),
                await api.post("/characters", json=CHARACTER),
                await api.post("/characters/lookup", json={"ids": [1]}),
                await api.post("/characters/1/paraphrases", json=PARAPHRASE),
            ):
                assert answer.status_code == 503
                assert answer.json().keys() == {"message"}
        await proxy.heal()
        assert (await api.get("/characters")).json() == [{"characterId": 1, **CHARACTER}]
        assert (await api.post("/characters/1/paraphrases", json=PARAPHRASE)).status_code == 201
