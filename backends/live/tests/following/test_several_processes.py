"""Two processes over one database and one Valkey, with people at both."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.valkey import ValkeyServer

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening
    from backends.live.tests.following.conftest import Instance, Listener, StartLive

Listen = Callable[..., Awaitable["Listener"]]
Clients = Callable[[str], Any]


@pytest.fixture
async def valkey() -> AsyncIterator[ValkeyServer]:
    """Give a Valkey of the test's own, which it may stop."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
async def instances(
    start_live: "StartLive", postgres_url: str, valkey: ValkeyServer
) -> list["Instance"]:
    """Give two running processes."""
    return [await start_live(postgres_url, LIVE_REDIS_URL=valkey.url) for _ in range(2)]


@pytest.fixture
async def evenings(
    instances: list["Instance"],
    clients: Clients,
    create_evening: Callable[..., Awaitable["Evening"]],
) -> list["Evening"]:
    """Give a started session, at the first process and at the second."""
    made = await create_evening(clients(instances[0].url))
    await made.start()
    return [made, replace(made, api=clients(instances[1].url))]


def has_result(listener: "Listener", stored: int) -> bool:
    """Return whether a listener got the result of so many answers."""
    results = [event for event in listener.events if event.name == "results"]
    return any(event.data["stored"] == stored for event in results)


async def test_everybody_hears_what_happens_at_either_process(
    evenings: list["Evening"], listen: Listen
) -> None:
    """Events of each process reach the people at both, in one order; a vote shows at both."""
    here, there = evenings
    guests = [await here.join("Ann"), await there.join("Bob")]
    listeners = [
        await listen(each.api, each.path, guest.headers)
        for each, guest in zip(evenings, guests, strict=True)
    ]
    hosts = [await listen(each.api, each.path, each.host) for each in evenings]
    poll = await here.add_open("poll")
    for each, guest in zip(evenings, guests, strict=True):
        await each.answer(guest, poll, choices=["a"])
    for host in hosts:
        await host.until(partial(has_result, host, 2))
    await there.close(poll)
    await here.reveal(poll)
    for listener in listeners:
        await listener.heard("activity.revealed")
    heard = [[(event.id, event.name) for event in each.durable] for each in listeners]
    assert heard[0] == heard[1]
    assert len(heard[0]) == 3


async def test_one_who_comes_back_to_the_other_process_misses_nothing(
    evenings: list["Evening"], listen: Listen
) -> None:
    """A position of one process is good at the other: no state, no gap, no double."""
    here, there = evenings
    ann = await here.join("Ann")
    listener = await listen(here.api, here.path, ann.headers)
    poll = await here.add_open("poll")
    await listener.heard("activity.opened")
    await listener.cut()
    await there.close(poll)
    back = await listen(there.api, there.path, ann.headers, listener.last_id)
    await here.reveal(poll)
    await back.heard("activity.revealed")
    assert [event.name for event in back.durable] == ["activity.closed", "activity.revealed"]
    assert "state" not in back.names


async def test_the_newest_stream_is_the_live_one_across_processes(
    evenings: list["Evening"], listen: Listen
) -> None:
    """Who follows at one process and then at the other is notified `replaced` at the first."""
    here, there = evenings
    ann = await here.join("Ann")
    older = await listen(here.api, here.path, ann.headers)
    await older.heard("state")
    newer = await listen(there.api, there.path, ann.headers)
    await older.heard("replaced")
    await older.until(lambda: older.ended)
    await here.add_open("poll")
    await newer.heard("activity.opened")


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_without_valkey_the_evening_goes_on(
    evenings: list["Evening"], listen: Listen, valkey: ValkeyServer, fault: str
) -> None:
    """Valkey killed or hung: votes are stored, polling works, and streams resume afterwards."""
    here, there = evenings
    guests = [await here.join("Ann"), await there.join("Bob")]
    listener = await listen(there.api, there.path, guests[1].headers)
    await listener.heard("state")
    poll = await here.add_open("poll")
    await listener.heard("activity.opened")
    await asyncio.to_thread(getattr(valkey, fault))
    async with asyncio.timeout(20):
        for each, guest in zip(evenings, guests, strict=True):
            await each.answer(guest, poll, choices=["a"])
        state = await there.api.get(f"{there.path}/state", headers=guests[1].headers)
    assert state.json()["stored"] == 2
    await here.close(poll)
    before = len(listener.events)  # what is heard comes as soon as Valkey is back
    await asyncio.to_thread(valkey.resume if fault == "pause" else valkey.start)

    def is_told() -> bool:
        later = listener.events[before:]
        return any(
            event.name == "state" and event.data["activity"]["state"] == "closed" for event in later
        ) or any(event.name == "activity.closed" for event in later)

    await listener.until(is_told)
    await here.reveal(poll)
    await listener.heard("activity.revealed")
    assert (await here.results(poll))["stored"] == 2
