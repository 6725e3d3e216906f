"""Sessions that nobody uses complete by themselves, and old ones are deleted."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bedplate.database import Database
from bedplate.realtime import Channels
from bedplate.testing.clock import SettableClock
from live.events.service import Events
from live.participants.service import Participants
from live.sessions.service import complete_idle, remove_old

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeEvening = Callable[..., Awaitable["Evening"]]


@pytest.fixture
def events() -> Events:
    """Give what publishes events, which nobody follows."""
    return Events(Channels(None, namespace="test", fast=[]))


async def test_an_idle_session_completes_with_its_open_activity(
    clock: SettableClock, evening: "Evening", make_evening: MakeEvening, database: Database,
    events: Events,
) -> None:  # fmt: skip
    """After the hours and not before; a draft stays a draft, and it is done once."""
    draft = await make_evening()
    poll = await evening.add_open("poll")
    clock.advance(hours=24)
    assert await complete_idle(database, events, 24) == 0
    clock.advance(seconds=1)
    assert await complete_idle(database, events, 24) == 1
    assert await complete_idle(database, events, 24) == 0
    now = await evening.get()
    assert (now["state"], now["completed_at"]) == ("completed", "2026-01-02T12:00:01Z")
    path = f"{evening.path}/activities/{poll['id']}"
    activity = (await evening.api.get(path, headers=evening.host)).json()
    assert (activity["state"], activity["closed_by"]) == ("closed", "end")
    assert (await draft.get())["state"] == "draft"


async def test_whoever_is_there_keeps_a_session_going(
    clock: SettableClock, evening: "Evening", database: Database, events: Events
) -> None:
    """Changes count, and so does a participant who is seen, such as one who answers for days."""
    ann = await evening.join("Ann")
    for _ in range(3):
        clock.advance(hours=20)
        heartbeat = f"{evening.path}/participants/heartbeat"
        assert (await evening.api.post(heartbeat, headers=ann.headers)).status_code == 204
        assert await complete_idle(database, events, 24) == 0
    clock.advance(hours=20)
    await evening.api.patch(evening.path, json={"title": "Still on"}, headers=evening.host)
    clock.advance(hours=20)
    assert await complete_idle(database, events, 24) == 0
    clock.advance(hours=5)
    assert await complete_idle(database, events, 24) == 1


async def test_old_sessions_are_deleted_with_everything_in_them(
    clock: SettableClock, evening: "Evening", make_evening: MakeEvening, database: Database,
    events: Events,
) -> None:  # fmt: skip
    """Completed ones after the days; drafts and active ones stay, however old they are."""
    draft, active = await make_evening(), await make_evening()
    await active.start()
    await evening.join("Ann")
    await evening.complete()
    clock.advance(days=30)
    assert await remove_old(database, events, 30) == 0
    clock.advance(seconds=1)
    assert await remove_old(database, events, 30) == 1
    assert (await evening.api.get(evening.path, headers=evening.host)).status_code == 404
    assert (await draft.get())["state"] == "draft"
    assert (await active.get())["state"] == "active"
    async with database.engine.connect() as connection:
        people = await connection.execute(text("SELECT count(*) FROM live_participant"))
        assert people.scalar_one() == 0


async def test_people_whom_others_noted_are_seen(
    clock: SettableClock, evening: "Evening", database: Database, events: Events
) -> None:
    """Those who follow a session's events need no heartbeats; the removed aren't seen."""
    ann, bob, cat = await evening.join_many(3)
    await evening.do(f"participants/{cat.id}/kick")
    clock.advance(minutes=5)
    async with Participants(database, events) as participants:
        await participants.note({ann.id, cat.id})  # type: ignore[arg-type]
    response = await evening.api.get(
        f"{evening.path}/participants", params={"removed": "true"}, headers=evening.host
    )
    presence = {each["id"]: each["presence"] for each in response.json()["items"]}
    assert presence == {ann.id: "online", bob.id: "gone", cat.id: "gone"}
