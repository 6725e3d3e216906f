"""Presence: who is online, idle or gone, and how much time somebody has."""

import asyncio
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bedplate.database import Database
from bedplate.realtime import Channels
from bedplate.testing.client import client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf
from live.events.service import Events
from live.sessions.service import complete_idle
from live.timers import Timers

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest

MakeApp = Callable[..., FastAPI]


async def heartbeat(evening: "Evening", guest: "Guest") -> httpx2.Response:
    """Say that one is there."""
    return await evening.api.post(f"{evening.path}/participants/heartbeat", headers=guest.headers)


async def presence(evening: "Evening") -> tuple[list[str], dict[str, int]]:
    """Return what the host sees: of each person, in the order of their names, and as numbers."""
    path = f"{evening.path}/participants"
    listed = (await evening.api.get(path, headers=evening.host)).json()["items"]
    numbers = (await evening.api.get(f"{path}/presence", headers=evening.host)).json()
    return [each["presence"] for each in sorted(listed, key=itemgetter("nickname"))], numbers


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "online"), (29.9, "online"), (30, "idle"), (119.9, "idle"), (120, "gone"), (9e5, "gone")],
)
async def test_silence_makes_idle_and_then_gone(
    clock: SettableClock, evening: "Evening", seconds: float, expected: str
) -> None:
    """After 30 and 120 seconds without a heartbeat, in the list as in the numbers."""
    await evening.join("Ann")
    clock.advance(seconds=seconds)
    numbers = {"online": 0, "idle": 0, "gone": 0, "joined": 1, expected: 1}
    assert await presence(evening) == ([expected], numbers)


async def test_a_heartbeat_makes_one_online_again(clock: SettableClock, evening: "Evening") -> None:
    """Rejoining does too, and neither does it for others; the removed aren't counted."""
    ann, bob, _, dan = await evening.join_many(4)
    clock.advance(seconds=100)
    assert (await heartbeat(evening, ann)).status_code == 204
    path = f"{evening.path}/participants/rejoin"
    assert (await evening.api.post(path, headers=bob.headers)).status_code == 200
    await evening.do(f"participants/{dan.id}/ban")
    expected = {"online": 2, "idle": 1, "gone": 0, "joined": 3}
    assert await presence(evening) == (["online", "online", "idle"], expected)
    clock.advance(seconds=29)
    assert (await presence(evening))[1] == {"online": 2, "idle": 0, "gone": 1, "joined": 3}


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[Timers]:
    """Give what background work the applications have, which runs only when a test runs it."""
    made: list[Timers] = []
    monkeypatch.setattr(Timers, "start", lambda self, _: made.append(self))
    return made


@pytest.mark.parametrize("how", ["votes", "retracts", "says how fast it goes", "polls"])
async def test_whoever_does_something_is_there(
    clock: SettableClock, timers: list[Timers], evening: "Evening", database: Database, how: str
) -> None:
    """It is stored within seconds, with one time for all, though not of the removed.

    So a session in which people vote isn't idle, and nothing tells when somebody voted.
    """
    ann, bob, cat, _ = people = await evening.join_many(4)
    poll = await evening.add_open("poll", policy={"secret": how == "votes"})
    if how == "retracts":
        for guest in people:
            await evening.answer(guest, poll, choices=["a"])
        await timers[0].note_followers()
    clock.advance(hours=25)
    for guest in (ann, bob, cat):
        clock.advance(seconds=1)
        await do_something(evening, guest, poll, how)
    await evening.do(f"participants/{cat.id}/kick")
    await timers[0].note_followers()
    assert (await presence(evening))[1] == {"online": 2, "idle": 0, "gone": 1, "joined": 3}
    async with database.engine.connect() as connection:
        times = await connection.execute(text("SELECT DISTINCT seen_at FROM live_participant"))
        assert len(times.all()) == 2
    clock.advance(hours=23)
    events = Events(Channels(None, namespace="test"))
    assert await complete_idle(database, events, 24) == 0
    clock.advance(hours=2)
    await timers[0].note_followers()
    assert await complete_idle(database, events, 24) == 1


async def do_something(evening: "Evening", guest: "Guest", poll: dict[str, Any], how: str) -> None:
    """Let a participant be active in one of the ways that aren't heartbeats."""
    api, headers = evening.api, guest.headers
    if how == "votes":
        await evening.answer(guest, poll, choices=["a"])
    elif how == "retracts":
        assert (await api.delete(evening.responses(poll), headers=headers)).is_success
    elif how == "polls":
        assert (await api.get(f"{evening.path}/state", headers=headers)).is_success
    else:
        path, body = f"{evening.path}/tempo", {"tempo": "lost"}
        assert (await api.put(path, json=body, headers=headers)).is_success


async def test_a_batch_of_heartbeats_has_its_bad_members(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """People of two sessions at once, one kicked and one banned: only these are refused."""
    other = await type(evening).create(evening.api)
    await other.start()
    people = [(evening, guest) for guest in await evening.join_many(5)]
    people += [(other, guest) for guest in await other.join_many(5)]
    await evening.do(f"participants/{people[1][1].id}/kick")
    await other.do(f"participants/{people[7][1].id}/ban")
    responses = await asyncio.gather(*(heartbeat(*person) for person in people * 2))
    statuses = [response.status_code for response in responses]
    assert statuses == [204, 403, 204, 204, 204, 204, 204, 403, 204, 204] * 2
    assert problem_of(responses[1], 403)["state"] == "kicked"
    assert problem_of(responses[7], 403)["state"] == "banned"
    problem_of(await heartbeat(other, people[0][1]), 403)


async def test_hosts_are_shown_presence_as_numbers(
    evening: "Evening", make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody follows a session its hosts alone are shown how many are there."""
    shown: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def show(_: Events, __: object, ___: str, name: str, ____: int, data: dict[str, Any]) -> None:
        if name == "presence":
            shown.put_nowait(data)

    monkeypatch.setattr("live.timers._PRESENCE_SECONDS", 0.05)
    monkeypatch.setattr(Events, "show", show)
    await evening.join("Ann")
    async with client(make_app()) as api:
        path = f"{evening.path}/events"
        stream = asyncio.create_task(api.get(path, headers=evening.host))
        async with asyncio.timeout(10):
            data = await shown.get()
        stream.cancel()
    assert data == {"host": {"online": 1, "idle": 0, "gone": 0, "joined": 1}}


async def test_only_hosts_and_moderators_see_presence(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """Participants and screens don't."""
    path = f"{evening.path}/participants/presence"
    ann, screen = await evening.join("Ann"), await evening.link("screen")
    for headers in (ann.headers, screen):
        problem_of(await evening.api.get(path, headers=headers), 403)
    moderator = await evening.link("moderator")
    assert (await evening.api.get(path, headers=moderator)).status_code == 200


async def test_somebody_may_have_more_time(evening: "Evening", problem_of: ProblemOf) -> None:
    """A host gives it, the list shows it, and the person is notified on coming back."""
    ann, bob = await evening.join_many(2)
    path = f"{evening.path}/participants"
    body = {"time_factor": 2.5}
    response = await evening.api.patch(f"{path}/{ann.id}", json=body, headers=evening.host)
    assert response.json()["time_factor"] == 2.5
    listed = (await evening.api.get(path, headers=evening.host)).json()["items"]
    assert [each["time_factor"] for each in listed] == [2.5, 1.0]
    response = await evening.api.post(f"{path}/rejoin", headers=ann.headers)
    assert response.json()["time_factor"] == 2.5
    for headers in (ann.headers, await evening.link("moderator")):
        response = await evening.api.patch(f"{path}/{bob.id}", json=body, headers=headers)
        problem_of(response, 403)
    other = await type(evening).create(evening.api)
    response = await other.api.patch(
        f"{other.path}/participants/{ann.id}", json=body, headers=other.host
    )
    problem_of(response, 404)


@pytest.mark.parametrize("factor", [0.5, 0, -1, 11, "2", True, None, [1]])
async def test_more_time_has_its_limits(evening: "Evening", factor: object) -> None:
    """Nobody has less time than others, nor more than ten times as much."""
    ann = await evening.join("Ann")
    response = await evening.api.patch(
        f"{evening.path}/participants/{ann.id}", json={"time_factor": factor}, headers=evening.host
    )
    assert response.status_code == 422
