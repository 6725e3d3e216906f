"""Many at once, over two instances: every answer is stored once, or refused."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from bedplate import clock
from bedplate.database import Database
from bedplate.testing.client import Client
from live.activities import repository as activities
from live.responses.service import Responses
from live.security import Member
from live.settings import LiveSettings

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.responses.conftest import Check

Activity = dict[str, Any]
A, B = {"choices": ["a"]}, {"choices": ["b"]}


def vote(
    api: Client, evening: "Evening", guest: "Guest", poll: Activity, answer: object = A
) -> "asyncio.Task[httpx2.Response]":
    """Send an answer to an instance; return what will have its response."""
    path = evening.responses(poll)
    sending = api.put(path, json={"answer": answer}, headers=guest.headers)
    return asyncio.create_task(sending)


async def test_a_hundred_send_three_times_in_the_last_100_ms(
    evening: "Evening", settings: LiveSettings, check: "Check"
) -> None:
    """All 300 are accepted, over two instances; exactly 100 are stored, and the tally is 100."""
    guests = await asyncio.gather(*(evening.join() for _ in range(100)))
    poll = await evening.add_open("poll", seconds=1, policy={"change": False})
    members = [Member(UUID(guest.id), UUID(evening.id)) for guest in guests]
    async with AsyncExitStack() as stack:
        desks = []
        for _ in range(2):
            database = await stack.enter_async_context(Database.open(settings))
            await database.ping()
            desks.append(await stack.enter_async_context(Responses(database)))
        end = datetime.fromisoformat(poll["closes_at"])
        await asyncio.sleep((end - clock.now()).total_seconds() - 0.1)
        answers = await asyncio.gather(
            *(
                random.choice(desks).put(member, UUID(poll["id"]), A)
                for member in random.sample(members * 3, 300)
            )
        )
    assert Counter(answer.status for answer in answers) == {"stored": 100, "already": 200}
    shown = await evening.results(poll)
    assert (shown["stored"], shown["received"]) == (100, 300)
    assert shown["result"]["counts"] == {"a": 100, "b": 0}
    assert await check(poll) == 100


async def test_vote_against_close(evening: "Evening", other_api: Client, check: "Check") -> None:
    """While votes come a host closes: what is stored then is what is stored in the end.

    It is as many as were answered with 200, and each of the others is a 409 of a closed activity.
    """
    guests = await evening.join_many(40)
    stored = 0
    for number in range(3):
        poll = await evening.add_open("poll")
        sent = []
        for each, guest in enumerate(guests):
            if each == 12 * number + 8:
                closing = asyncio.create_task(evening.close(poll))
            sent.append(vote((evening.api, other_api)[each % 2], evening, guest, poll))
            await asyncio.sleep(0)
        await closing
        at_close = (await evening.results(poll))["stored"]
        answers = await asyncio.gather(*sent)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses.keys() <= {200, 409}
        assert {answer.json()["state"] for answer in answers if answer.status_code == 409} <= {
            "closed"
        }
        assert at_close == statuses[200] == await check(poll)
        stored += at_close
    assert 0 < stored < 3 * 40, "the close was never in the middle"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_close_waits_for_nobody_who_comes_later(
    evening: "Evening", database: Database
) -> None:
    """While votes are stored a host closes: votes that come now wait for the close, and lose.

    With a lock that votes share, those of several processes could keep the close waiting for ever.
    """
    guest = await evening.join("Ann")
    poll = await evening.add_open("poll")
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    async def until_waiting(number: int) -> None:
        async with database.engine.connect() as connection, asyncio.timeout(10):
            while await connection.scalar(waiting) != number:
                await connection.execute(text("SELECT pg_stat_clear_snapshot()"))

    async with database.write() as storing:
        assert await activities.lock(storing, UUID(poll["id"]))
        closing = asyncio.create_task(evening.close(poll))
        await until_waiting(1)
        late = vote(evening.api, evening, guest, poll)
        await until_waiting(2)
    assert (await closing)["state"] == "closed"
    assert (await late).status_code == 409


async def test_who_hangs_up_is_counted(evening: "Evening", check: "Check") -> None:
    """An answer whose client is gone before it is stored is stored all the same, once."""
    guests = await evening.join_many(20)
    poll = await evening.add_open("poll")
    sent = [vote(evening.api, evening, guest, poll) for guest in guests]
    while not all("GroupCommit.submit" in _waits_in(task) for task in sent):  # noqa: ASYNC110 - nobody notifies us
        await asyncio.sleep(0)
    for task in sent[::2]:
        task.cancel()
    await asyncio.gather(*sent, return_exceptions=True)
    async with asyncio.timeout(10):
        while await check(poll) < len(guests):  # noqa: ASYNC110 - nobody notifies us
            await asyncio.sleep(0.01)


def _waits_in(task: "asyncio.Task[httpx2.Response]") -> list[str]:
    """Return the names of the functions in which a task waits."""
    names: list[str] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        names.append(getattr(waiting, "__qualname__", ""))
        waiting = getattr(waiting, "cr_await", None)
    return names


@pytest.mark.parametrize("how", ["kick", "ban"])
async def test_removed_in_the_middle_of_the_vote(
    evening: "Evening", other_api: Client, check: "Check", how: str
) -> None:
    """Whoever is removed with their answers has none in the end, whether the vote came before."""
    guests = await evening.join_many(24)
    poll = await evening.add_open("poll")
    removed = guests[::3]
    sent = [vote((evening.api, other_api)[i % 2], evening, g, poll) for i, g in enumerate(guests)]
    removing = [
        asyncio.create_task(evening.do(f"participants/{guest.id}/{how}", {"remove_answers": True}))
        for guest in removed
    ]
    answers = await asyncio.gather(*sent)
    await asyncio.gather(*removing)
    assert {answer.status_code for answer in answers} <= {200, 403}
    assert await check(poll) == len(guests) - len(removed)
    assert (await evening.results(poll))["result"]["counts"]["a"] == len(guests) - len(removed)


async def test_nothing_deadlocks(evening: "Evening", other_api: Client, check: "Check") -> None:
    """Two instances vote, change, retract, kick, open, close, reset and beat at once: no 5xx.

    A deadlock would be a 503 after a second.
    """
    guests = await evening.join_many(16)
    polls = [await evening.add("poll", seconds=1) for _ in range(3)]
    end = clock.monotonic() + 2.5
    seen: Counter[tuple[str, int]] = Counter()

    async def call(api: Client, method: str, path: str, headers: dict[str, str], body: Any) -> None:
        response = await api.request(method, path, json=body, headers=headers)
        seen[method, response.status_code] += 1

    async def as_guest(chance: random.Random, api: Client) -> None:
        while clock.monotonic() < end:
            guest, poll = chance.choice(guests), chance.choice(polls)
            what = chance.random()
            if what < 0.7:
                body = {"answer": chance.choice((A, B))}
                await call(api, "PUT", evening.responses(poll), guest.headers, body)
            elif what < 0.8:
                await call(api, "DELETE", evening.responses(poll), guest.headers, None)
            else:
                what_else = chance.choice(("heartbeat", "rejoin"))
                path = f"{evening.path}/participants/{what_else}"
                await call(api, "POST", path, guest.headers, None)

    async def as_host(chance: random.Random, api: Client) -> None:
        while clock.monotonic() < end:
            step = chance.choice(("open", "open", "close", "reveal", "reset", "kick"))
            if step == "kick":
                path = f"{evening.path}/participants/{chance.choice(guests).id}/kick"
                body = {"remove_answers": chance.random() < 0.7}
                await call(api, "POST", path, evening.host, body)
            else:
                path = f"{evening.path}/activities/{chance.choice(polls)['id']}/{step}"
                await call(api, "POST", path, evening.host, None)

    chances = [random.Random(seed) for seed in range(16)]
    apis = (evening.api, other_api)
    await asyncio.gather(
        *(as_guest(chance, apis[i % 2]) for i, chance in enumerate(chances[:12])),
        *(as_host(chance, apis[i % 2]) for i, chance in enumerate(chances[12:])),
    )
    assert max(status for _, status in seen) < 500, seen
    assert seen["PUT", 200] > 0
    for poll in polls:
        await check(poll)
