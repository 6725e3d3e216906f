"""Who reads results: all who ask at once share what is read, and nobody gets an old result."""

import asyncio
from typing import TYPE_CHECKING

from bedplate.database import Statement
from bedplate.testing.client import Client

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


async def test_who_reads_at_once_shares_what_is_read(
    evening: "Evening", run_statements: list[Statement]
) -> None:
    """Fifty readers cost a few reads of the counters, and each gets the newest result."""
    guests = await evening.join_many(3)
    poll = await evening.add_open("poll")
    for guest in guests:
        await evening.answer(guest, poll, choices=["a"])
    path = f"/api/v1/activities/{poll['id']}/results"
    run_statements.clear()
    answers = await asyncio.gather(
        *(evening.api.get(path, headers=guests[n % 3].headers) for n in range(50))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["stored"] for answer in answers} == {3}
    for table in ("live_counter", "live_round"):
        assert 1 <= sum(table in repr(each) for each in run_statements) <= 10


async def test_a_reader_sees_the_vote_that_was_answered_before(evening: "Evening") -> None:
    """Among others who read all the time, who voted sees the own vote counted at once."""
    guests = await evening.join_many(8)
    poll = await evening.add_open("poll")

    async def vote_and_read(number: int) -> int:
        await asyncio.sleep(number / 200)
        await evening.answer(guests[number], poll, choices=["a"])
        return int((await evening.results(poll, guests[number].headers))["stored"])

    async def read() -> None:
        for _ in range(20):
            await evening.results(poll)

    seen, *_ = await asyncio.gather(
        asyncio.gather(*(vote_and_read(number) for number in range(8))), read(), read()
    )
    assert all(stored >= 1 for stored in seen)
    assert (await evening.results(poll))["stored"] == 8


async def test_a_round_that_is_not_there(evening: "Evening", api: Client) -> None:
    """404 for those in the session; who isn't learns nothing of rounds."""
    poll = await evening.add_open("poll")
    other = await type(evening).create(api)
    path = f"/api/v1/activities/{poll['id']}/results?round=7"
    statuses = [
        (await api.get(path, headers=headers)).status_code
        for headers in (evening.host, other.host, None)
    ]
    assert statuses == [404, 403, 401]
