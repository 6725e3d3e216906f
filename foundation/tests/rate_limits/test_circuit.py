"""What keeps requests from waiting for a Redis that is known to be away."""

import asyncio
from typing import Any

from limits.errors import StorageError

from bedplate.rate_limits.circuit import Circuit

LOST = StorageError(ConnectionError("nobody there"))


class _Store:
    """A store that is away until it is asked to come back."""

    def __init__(self) -> None:
        self.away = True
        self.asked = asyncio.Semaphore(0)

    async def probe(self) -> None:
        self.asked.release()
        if self.away:
            raise LOST


def _own(entries: list[Any]) -> list[str]:
    return [entry["event"] for entry in entries if entry["event"].startswith("rate_limit_store")]


async def test_an_outage_ends_by_itself_and_says_so_once(captured_logs: list[Any]) -> None:
    """However many requests fail and probes are made, there is one line at each end."""
    store = _Store()
    circuit = Circuit(store.probe, interval=0.001)
    for _ in range(10):
        circuit.open(LOST, "fall_back")
    for _ in range(3):
        await store.asked.acquire()
    store.away = False
    assert circuit._probing is not None
    async with asyncio.timeout(5):
        await asyncio.wait([circuit._probing])
    assert circuit.closed
    assert _own(captured_logs) == ["rate_limit_store_lost", "rate_limit_store_back"]
    lost = next(entry for entry in captured_logs if entry["event"] == "rate_limit_store_lost")
    assert (lost["error"], lost["policy"]) == ("ConnectionError", "fall_back")


async def test_nothing_is_probed_while_all_is_well() -> None:
    """A closed circuit costs nothing: no task, no question."""
    store = _Store()
    before = asyncio.all_tasks()
    circuit = Circuit(store.probe, interval=0.001)
    assert asyncio.all_tasks() == before
    await circuit.aclose()
    assert store.asked.locked()


async def test_closing_ends_the_probes() -> None:
    """No task is left after a shutdown during an outage."""
    before = asyncio.all_tasks()
    circuit = Circuit(_Store().probe, interval=60)
    circuit.open(LOST, "refuse")
    await circuit.aclose()
    assert asyncio.all_tasks() == before
