"""`kill -9` at any moment: nothing that was acknowledged is missing, and every proof holds."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

StartTrail = Callable[[str], Awaitable[Any]]
ReadChain = Callable[[str], Awaitable[Any]]
NewRecorders = Callable[[str, int], Any]


async def kill_again_and_again(
    instance: Any, recorders: NewRecorders, kills: int, *, seed: int
) -> dict[str, int]:
    """Kill and start a process under load; return what it acknowledged, by id."""
    moments = random.Random(seed)
    async with recorders(instance.url, 20) as load:
        for _ in range(kills):
            await load.until_acknowledged(20)
            await asyncio.sleep(moments.uniform(0, 0.3))
            await asyncio.to_thread(instance.process.kill)
            await asyncio.to_thread(instance.process.start)
    acknowledged: dict[str, int] = load.acknowledged
    return acknowledged


async def check(chain: Any, acknowledged: dict[str, int]) -> None:
    """Check that a chain has no gap, and all that was acknowledged at its number."""
    assert sorted(chain.sequences.values()) == list(range(chain.size))
    assert acknowledged.items() <= chain.sequences.items()
    # What was stored just before a kill may be without an answer: one record of each client.
    assert acknowledged


async def test_a_killed_process_loses_nothing(
    start_trail: StartTrail, database_url: str, read_chain: ReadChain, recorders: NewRecorders
) -> None:
    """After some kills under load every acknowledged record is in the chain, and is proved."""
    instance = await start_trail(database_url)
    acknowledged = await kill_again_and_again(instance, recorders, 4, seed=1)
    await check(await read_chain(database_url), acknowledged)


@pytest.mark.soak
async def test_a_process_that_is_killed_a_thousand_times_loses_nothing(
    start_trail: StartTrail, database_url: str, read_chain: ReadChain, recorders: NewRecorders
) -> None:
    """The same with 500 kills on each database: takes most of an hour."""
    instance = await start_trail(database_url)
    acknowledged = await kill_again_and_again(instance, recorders, 500, seed=2)
    await check(await read_chain(database_url), acknowledged)
