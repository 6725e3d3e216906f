"""Joins and heartbeats share transactions: who leaves, who is refused, and what waits too long."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from fastapi import FastAPI

from bedplate.database import Database
from bedplate.realtime import Channels
from bedplate.testing.client import client
from live.events.service import Events
from live.exceptions import WrongToken
from live.participants.service import Join, Participants, Place

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeApp = Callable[..., FastAPI]


@pytest.fixture
def events() -> Events:
    """Give what publishes events, which nobody follows."""
    return Events(Channels(None, namespace="test", fast=[]))


async def test_a_client_that_left_is_in_all_the_same(
    evening: "Evening", database: Database, events: Events
) -> None:
    """A join whose request is cancelled is stored, and the same key gets the place."""
    session_id = UUID(evening.id)
    async with Participants(database, events) as participants:
        join = Join(evening.code, "Ann", "key")
        waiting = asyncio.create_task(participants.join(session_id, join))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with Participants(database, events) as participants:
        place = await participants.join(session_id, join)
    assert place.participant["nickname"] == "Ann"
    assert (await evening.get())["participants"] == 1


async def test_what_waits_at_the_end_is_stored(
    evening: "Evening", database: Database, events: Events
) -> None:
    """Leaving stores all joins that wait, as a server that stops does."""
    async with Participants(database, events) as participants:
        joins = [
            asyncio.create_task(participants.join(UUID(evening.id), Join(evening.code, None, None)))
            for _ in range(50)
        ]
        await asyncio.sleep(0)
    places = await asyncio.gather(*joins)
    assert len({place.participant["id"] for place in places}) == 50
    assert (await evening.get())["participants"] == 50


async def test_one_bad_member_fails_no_other(
    evening: "Evening", database: Database, events: Events
) -> None:
    """A name that no database can hold, and a wrong code, are errors of these two alone."""
    names = ["Ann", "\ud800", "Bob", "Cat"]
    wanted = [Join(evening.code, name, None) for name in names]
    wanted[2] = Join("BCD5F2B", "Bob", None)
    async with Participants(database, events) as participants:
        joins = [participants.join(UUID(evening.id), join) for join in wanted]
        places = await asyncio.gather(*joins, return_exceptions=True)
    assert isinstance(places[1], Exception)
    assert isinstance(places[2], WrongToken)
    joined = [each.participant["nickname"] for each in places if isinstance(each, Place)]
    assert joined == ["Ann", "Cat"]
    assert (await evening.get())["participants"] == 2


async def test_a_hall_joins_in_few_transactions(
    evening: "Evening", database: Database, events: Events
) -> None:
    """A hundred joins at once are two batches: the first one, and all that came meanwhile."""
    batches: list[int] = []
    async with Participants(database, events, observe_batch=batches.append) as participants:
        join = Join(evening.code, None, None)
        await asyncio.gather(*(participants.join(UUID(evening.id), join) for _ in range(100)))
    assert sum(batches) == 100
    assert len(batches) <= 2


async def test_a_full_queue_says_so(
    evening: "Evening", make_app: MakeApp, database: Database, events: Events
) -> None:
    """More joins than may wait are 503s with a time, and later they are fine."""
    body = {"code": evening.code}
    path = f"{evening.path}/participants"
    async with Participants(database, events) as participants:
        participants._joins._max_waiting_rows = 5
        async with client(make_app(replacements={"participants": participants})) as api:
            with api.expecting(503):
                joins = await asyncio.gather(*(api.post(path, json=body) for _ in range(20)))
            refused = [response for response in joins if response.status_code == 503]
            assert {response.json()["code"] for response in refused} == {"queue_full"}
            assert all(response.headers["retry-after"] for response in refused)
            assert len(joins) - len(refused) == (await evening.get())["participants"] >= 5
            assert (await api.post(path, json=body)).status_code == 201
