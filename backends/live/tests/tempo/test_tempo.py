"""The tempo channel: one vote each, which one may change, and which hosts see as numbers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import httpx2
import pytest
from fastapi import FastAPI

from bedplate.database import Row, WriteSession
from bedplate.testing.client import client
from bedplate.testing.problems import ProblemOf
from live.events.service import Events
from live.tempo import repository

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest

MakeEvening = Callable[..., Awaitable["Evening"]]
MakeApp = Callable[..., FastAPI]

NOTHING = {"too_slow": 0, "fine": 0, "too_fast": 0, "lost": 0}


async def say(evening: "Evening", guest: "Guest", tempo: str | None) -> httpx2.Response:
    """Say how fast it goes."""
    return await evening.api.put(
        f"{evening.path}/tempo", json={"tempo": tempo}, headers=guest.headers
    )


async def counts(evening: "Evening") -> dict[str, int]:
    """Return what the host sees."""
    response = await evening.api.get(f"{evening.path}/tempo", headers=evening.host)
    assert response.status_code == 200, response.text
    numbers: dict[str, int] = response.json()
    return numbers


async def test_one_has_one_vote_and_may_change_it(evening: "Evening") -> None:
    """The last word of each counts, null takes it back, and no activity needs to be open."""
    ann, bob = await evening.join_many(2)
    assert await counts(evening) == NOTHING
    assert (await say(evening, ann, "too_fast")).json() == {"tempo": "too_fast"}
    await say(evening, bob, "too_fast")
    assert await counts(evening) == {**NOTHING, "too_fast": 2}
    await say(evening, ann, "lost")
    await evening.add_open("poll")
    await say(evening, ann, "lost")
    assert await counts(evening) == {**NOTHING, "too_fast": 1, "lost": 1}
    await say(evening, bob, None)
    assert await counts(evening) == {**NOTHING, "lost": 1}


async def test_who_is_removed_counts_no_more(evening: "Evening", problem_of: ProblemOf) -> None:
    """A kicked person's vote isn't counted while they are away, and they have none to give."""
    ann, bob = await evening.join_many(2)
    await say(evening, ann, "lost")
    await say(evening, bob, "fine")
    await evening.do(f"participants/{ann.id}/kick")
    assert await counts(evening) == {**NOTHING, "fine": 1}
    assert problem_of(await say(evening, ann, "fine"), 403)["state"] == "kicked"


async def test_hosts_may_ask_anew(evening: "Evening") -> None:
    """Clearing takes every vote back, of this session alone."""
    for guest in await evening.join_many(3):
        await say(evening, guest, "fine")
    other = await type(evening).create(evening.api)
    await other.start()
    await say(other, await other.join(), "lost")
    response = await evening.api.delete(f"{evening.path}/tempo", headers=evening.host)
    assert response.status_code == 204
    assert await counts(evening) == NOTHING
    assert await counts(other) == {**NOTHING, "lost": 1}


async def test_only_hosts_see_numbers_and_only_participants_vote(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """Numbers are for hosts and moderators; hosts and people of other sessions have no vote."""
    ann = await evening.join("Ann")
    other = await type(evening).create(evening.api)
    await other.start()
    stranger = await other.join("Ann")
    path = f"{evening.path}/tempo"
    screen, moderator = await evening.link("screen"), await evening.link("moderator")
    for headers in (ann.headers, screen, stranger.headers, other.host):
        problem_of(await evening.api.get(path, headers=headers), 403)
    assert (await evening.api.get(path, headers=moderator)).status_code == 200
    for headers in (stranger.headers, screen, moderator, evening.host):
        problem_of(await evening.api.put(path, json={"tempo": "fine"}, headers=headers), 403)
    problem_of(await evening.api.put(path, json={"tempo": "fine"}), 401)
    problem_of(await evening.api.delete(path, headers=ann.headers), 403)
    nowhere = "/api/v1/sessions/00000000-0000-4000-8000-000000000000/tempo"
    response = await evening.api.put(nowhere, json={"tempo": "fine"}, headers=ann.headers)
    problem_of(response, 404)
    assert await counts(evening) == NOTHING


async def test_a_completed_session_takes_none(evening: "Evening", problem_of: ProblemOf) -> None:
    """After the end a vote is a 410, and the numbers stay to be read."""
    ann = await evening.join("Ann")
    await say(evening, ann, "fine")
    await evening.complete()
    problem_of(await say(evening, ann, "lost"), 410)
    response = await evening.api.delete(f"{evening.path}/tempo", headers=evening.host)
    problem_of(response, 410)
    assert await counts(evening) == {**NOTHING, "fine": 1}


@pytest.mark.parametrize("body", [{}, {"tempo": "slow"}, {"tempo": 1}, {"tempo": ["fine"]}, []])
async def test_what_is_no_vote_is_refused(evening: "Evening", body: object) -> None:
    """Anything but the four words and null is a 422."""
    ann = await evening.join("Ann")
    response = await evening.api.put(f"{evening.path}/tempo", json=body, headers=ann.headers)
    assert response.status_code == 422


async def test_a_hall_that_votes_at_once_is_counted_once(
    evening: "Evening", make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 people vote three times each, over two processes' worth of state: 100 votes.

    What hosts are shown last is what is stored.
    """
    shown: list[tuple[int, dict[str, int]]] = []

    def show(
        _: Events, __: object, ___: str, name: str, version: int, data: dict[str, dict[str, int]]
    ) -> None:
        if name == "tempo":
            shown.append((version, data["host"]))
            assert set(data) == {"host"}

    monkeypatch.setattr(Events, "show", show)
    guests = await asyncio.gather(*(evening.join() for _ in range(100)))
    async with client(make_app()) as other:
        votes = [
            api.put(f"{evening.path}/tempo", json={"tempo": tempo}, headers=guest.headers)
            for api, tempo in ((evening.api, "fine"), (other, "lost"), (evening.api, "too_slow"))
            for guest in guests
        ]
        assert {response.status_code for response in await asyncio.gather(*votes)} == {200}
    stored = await counts(evening)
    assert sum(stored.values()) == 100
    assert max(shown, key=lambda each: each[0])[1] == stored


async def test_the_last_who_votes_counts_all(
    evening: "Evening", make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vote at another process waits for one that isn't stored yet: neither misses the other."""
    ann, bob = await evening.join_many(2)
    stored, go_on = asyncio.Event(), asyncio.Event()
    put = repository.put

    async def put_slowly(session: WriteSession, votes: Sequence[Row]) -> None:
        await put(session, votes)
        if not stored.is_set():
            stored.set()
            await go_on.wait()

    monkeypatch.setattr(repository, "put", put_slowly)
    shown: list[dict[str, int]] = []
    monkeypatch.setattr(Events, "show", lambda *args: shown.append(args[-1]["host"]))
    async with client(make_app()) as other:
        first = asyncio.create_task(say(evening, ann, "lost"))
        await stored.wait()
        path = f"{evening.path}/tempo"
        body = {"tempo": "fine"}
        second = asyncio.create_task(other.put(path, json=body, headers=bob.headers))
        await asyncio.wait([second], timeout=0.5)
        assert not second.done()
        go_on.set()
        assert {(await first).status_code, (await second).status_code} == {200}
    assert shown[-1] == {**NOTHING, "lost": 1, "fine": 1}
