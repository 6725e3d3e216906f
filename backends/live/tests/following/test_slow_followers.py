"""A follower that reads too slowly, as its stream has it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import pytest

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.realtime import Channels
from live import security
from live.events.service import Events
from live.following.router import messages_of
from live.following.state import States
from live.following.streams import Streams
from live.sessions import repository
from live.sessions.wiring import Entry

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


@pytest.fixture
async def channels() -> AsyncIterator[Channels]:
    """Give channels that hold two events each."""
    async with Channels(None, namespace="test", capacity=2) as opened:
        yield opened


async def test_a_slow_follower_is_notified_and_gets_the_state(
    evening: "Evening", database: Database, channels: Channels
) -> None:
    """It loses the oldest events, learns how many, and goes on with the state and the rest."""
    session_id = UUID(evening.id)
    found = await repository.get(database.read(), session_id)
    assert found is not None
    entry = Entry(found, security.SCREEN, "key")
    jobs = Jobs()
    streams = Streams(channels, jobs, shared=False)
    stream = messages_of(entry, streams, States(database), None)
    (first,) = (await anext(stream)).items
    assert first.event == "state"
    for number in range(5):
        async with database.write() as session:
            Events(channels).publish(session, session_id, "session.changed", {"number": number})
    await evening.api.patch(evening.path, json={"title": "New"}, headers=evening.host)
    async with asyncio.timeout(10):
        heard = [message for _ in range(3) for message in (await anext(stream)).items]
    assert [message.event for message in heard] == ["lost", "state", *["session.changed"] * 2]
    assert orjson.loads(heard[0].data) == {"count": 3}
    assert orjson.loads(heard[1].data)["title"] == "New"
    assert [orjson.loads(message.data)["number"] for message in heard[2:]] == [3, 4]
    await stream.aclose()
    await jobs.stop()
