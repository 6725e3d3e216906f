"""Two processes append to one chain: no gap, no fork, everything acknowledged is provable."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

AUDITS = "/api/v1/audits"
COUNT = 10_000
CLIENTS = 100

StartTrail = Callable[[str], Awaitable[Any]]
ReadChain = Callable[[str], Awaitable[Any]]


async def test_ten_thousand_inserts_over_two_processes_are_one_chain(
    start_trail: StartTrail, database_url: str, read_chain: ReadChain
) -> None:
    """Each number from 0 to 9,999 was answered once, and every record is proved by its content."""
    instances = await asyncio.gather(start_trail(database_url), start_trail(database_url))
    numbers: dict[str, int] = {}

    async def record(url: str, count: int) -> None:
        async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
            for _ in range(count):
                response = await client.post(
                    AUDITS, json={"action_type": "other", "entity_type": "load"}
                )
                assert response.status_code == 201, response.text
                body = response.json()
                numbers[body["id"]] = body["sequence"]

    await asyncio.gather(
        *(record(instances[number % 2].url, COUNT // CLIENTS) for number in range(CLIENTS))
    )
    assert sorted(numbers.values()) == list(range(COUNT))
    chain = await read_chain(database_url)
    assert chain.size == COUNT
    assert chain.sequences == numbers
