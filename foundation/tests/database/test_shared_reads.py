"""Reads that are shared by those who ask at the same time."""

import asyncio
from collections.abc import Callable

import pytest

from bedplate.database.shared_reads import SharedReads


class Source:
    """Something to read, whose reads take until they are let go."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, _: str) -> int:
        """Return the value as it is when the read begins."""
        self.reads += 1
        found = self.value
        await self.gate.wait()
        if self.failing:
            raise ValueError
        return found


async def until(true: Callable[[], bool]) -> None:
    """Let others run until something is true."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - it turns the loop
            await asyncio.sleep(0)


async def test_those_who_ask_at_once_share_a_read() -> None:
    """A hundred who ask while a read is under way cause one more read, not a hundred."""
    source = Source()
    shared = SharedReads(source.read)
    source.gate.clear()
    first = asyncio.create_task(shared.get("a"))
    await until(lambda: source.reads == 1)
    source.value = 1
    others = [asyncio.create_task(shared.get("a")) for _ in range(100)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await first == 0
    assert await asyncio.gather(*others) == [1] * 100
    assert source.reads == 2


async def test_nobody_gets_what_was_read_before_they_asked() -> None:
    """Whatever changes before a question is seen by its answer, however busy it is."""
    source = Source()
    shared = SharedReads(source.read)

    async def ask() -> None:
        for _ in range(50):
            source.value += 1
            wanted = source.value
            assert await shared.get("a") >= wanted

    await asyncio.gather(*(ask() for _ in range(20)))
    assert source.reads < 1000


async def test_keys_do_not_wait_for_each_other() -> None:
    """A slow read of one key doesn't hold up another's."""
    source = Source()
    shared = SharedReads(source.read)
    source.gate.clear()
    slow = asyncio.create_task(shared.get("a"))
    await until(lambda: source.reads == 1)
    source.gate.set()
    assert await shared.get("b") == 0
    assert await slow == 0


async def test_a_failed_read_fails_those_who_waited_and_nobody_else() -> None:
    """An error goes to those who waited for that read; the next one is made anew."""
    source = Source()
    shared = SharedReads(source.read)
    source.failing = True
    with pytest.raises(ValueError):  # noqa: PT011 - the source's own
        await shared.get("a")
    source.failing = False
    assert await shared.get("a") == 0


async def test_one_who_leaves_stops_nobodys_read() -> None:
    """When the first who asked is cancelled, the others get their answer."""
    source = Source()
    shared = SharedReads(source.read)
    source.gate.clear()
    first = asyncio.create_task(shared.get("a"))
    await until(lambda: source.reads == 1)
    second = asyncio.create_task(shared.get("a"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    source.gate.set()
    assert await second == 0
