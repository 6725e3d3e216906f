"""Group commit: durable before the answer, one bad member fails alone, nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, bindparam, func, insert, select

from bedplate.database import (
    Database,
    DatabaseUnavailable,
    Row,
    Statement,
    UniqueViolation,
    WriteSession,
)
from bedplate.database.group_commit import GroupCommit, QueueFull
from bedplate.problems import Conflict
from bedplate.testing.proxy import FaultProxy

OpenDatabase = Callable[..., Awaitable[Database]]

REFUSED = -1
METADATA = MetaData()
VOTES = Table(
    "votes",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("poll", String(20), nullable=False),
)
ADD = Statement(
    insert(VOTES)
    .values(number=bindparam("of"), poll=bindparam("where"))
    .returning(VOTES.c.number, VOTES.c.poll)
)
ALL = Statement(select(VOTES.c.number, VOTES.c.poll).order_by(VOTES.c.number))
COUNT = Statement(select(func.count().label("count")).select_from(VOTES))


class Store:
    """Stores votes, and remembers the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.called = asyncio.Event()

    async def __call__(
        self, session: WriteSession, poll: str, numbers: Sequence[int]
    ) -> list[Row | Exception]:
        """Store votes; the store itself refuses one number."""
        self.batches.append(numbers)
        self.called.set()
        stored: list[Row | Exception] = []
        for number in numbers:
            if number == REFUSED:
                stored.append(Conflict("This number is refused."))
                continue
            stored.append(await session.one(ADD, of=number, where=poll))
        return stored


@pytest.fixture(name="store")
def _store() -> Store:
    return Store()


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


async def stored(database: Database) -> list[int]:
    """Return the numbers that are stored."""
    return [row["number"] for row in await database.read().all(ALL)]


def outcome(results: Sequence[Any]) -> list[Any]:
    """Return what each submission came to: a number, or the class of its error."""
    return [
        type(result) if isinstance(result, BaseException) else result["number"]
        for result in results
    ]


async def test_what_waits_shares_a_transaction(database: Database, store: Store) -> None:
    """While one batch is stored the others wait, and all of them are the next one."""
    sizes: list[int] = []
    async with GroupCommit(database, store, observe_batch=sizes.append) as group:
        first = asyncio.create_task(group.submit("a", 0))
        await store.called.wait()
        results = await asyncio.gather(*(group.submit("a", number) for number in range(1, 500)))
        await first
        assert outcome(results) == list(range(1, 500))
    assert sizes == [1, 499]
    assert await stored(database) == list(range(500))


async def test_an_answer_is_durable(database: Database, store: Store) -> None:
    """When a submission returns, other connections see what it stored."""
    async with GroupCommit(database, store) as group:
        for number in range(5):
            await group.submit("a", number)
            assert await stored(database) == list(range(number + 1))
        assert group.waiting_rows == 0


async def test_one_bad_member_fails_alone(database: Database, store: Store) -> None:
    """A member that the database refuses, or the store, gets its error; others are stored."""
    async with GroupCommit(database, store) as group:
        await group.submit("a", 5)
        results = await asyncio.gather(
            *(group.submit("a", number) for number in [1, 5, REFUSED, 2]), return_exceptions=True
        )
    assert outcome(results) == [1, UniqueViolation, Conflict, 2]
    assert await stored(database) == [1, 2, 5]


async def test_a_batch_that_fails_once_is_stored_in_two_steps(
    database: Database, store: Store
) -> None:
    """What fails once says nothing against any member: they are not stored one by one."""

    async def store_later(
        session: WriteSession, poll: str, numbers: Sequence[int]
    ) -> list[Row | Exception]:
        result = await store(session, poll, numbers)
        if len(numbers) == 100:
            raise RuntimeError
        return result

    async with GroupCommit(database, store_later) as group:
        first = asyncio.create_task(group.submit("a", 0))
        await store.called.wait()
        await asyncio.gather(*(group.submit("a", number) for number in range(1, 101)))
        await first
    assert [len(batch) for batch in store.batches] == [1, 100, 50, 50]
    assert await stored(database) == list(range(101))


async def test_queues_have_writers_of_their_own(database: Database, store: Store) -> None:
    """Members of two queues are never in one batch."""
    async with GroupCommit(database, store) as group:
        await asyncio.gather(*(group.submit("ab"[number % 2], number) for number in range(40)))
    assert all(len({number % 2 for number in batch}) == 1 for batch in store.batches)
    assert await stored(database) == list(range(40))


async def test_a_batch_has_a_bound(database: Database, store: Store) -> None:
    """No batch is larger than its bound, except for one member that is so by itself."""
    sizes: list[int] = []
    async with GroupCommit(database, store, max_batch_rows=10, observe_batch=sizes.append) as group:
        await asyncio.gather(
            group.submit("a", 100, rows=25), *(group.submit("a", n, rows=4) for n in range(6))
        )
    assert sizes == [25, 8, 8, 8]


async def test_a_full_queue_refuses(database: Database, store: Store) -> None:
    """Beyond the bound a submission is a 503 with Retry-After, and stores nothing."""
    async with GroupCommit(database, store, max_waiting_rows=10) as group:
        results = await asyncio.gather(
            *(group.submit("a", number) for number in range(15)), return_exceptions=True
        )
        assert outcome(results) == [*range(10), *[QueueFull] * 5]
        assert outcome([await group.submit("a", 20)]) == [20]
    refusal = results[-1]
    assert isinstance(refusal, QueueFull)
    assert refusal.status == 503
    assert refusal.headers == {"Retry-After": "1"}
    assert await stored(database) == [*range(10), 20]


async def test_a_client_that_leaves_is_stored_all_the_same(
    database: Database, store: Store
) -> None:
    """Cancelling a submission takes nothing back and fails no other."""
    async with GroupCommit(database, store) as group:
        tasks = [asyncio.create_task(group.submit("a", number)) for number in range(6)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcome(results[1::2]) == [1, 3, 5]
    assert outcome(results[::2]) == [asyncio.CancelledError] * 3
    assert await stored(database) == list(range(6))


async def test_the_end_stores_what_waits(database: Database, store: Store) -> None:
    """Leaving the context empties the queues; afterwards nothing more is taken."""
    async with GroupCommit(database, store, max_batch_rows=3) as group:
        tasks = [asyncio.create_task(group.submit("ab"[n % 2], n)) for n in range(20)]
        await asyncio.sleep(0)
    assert await stored(database) == list(range(20))
    assert all(task.done() for task in tasks)
    with pytest.raises(QueueFull):
        await group.submit("a", 99)


async def test_a_lost_database_fails_each_that_waits_at_once(
    open_database: OpenDatabase, postgres_url: str, store: Store
) -> None:
    """All of a batch get a 503 of their own after one attempt, and the next batch is stored."""
    async with FaultProxy(postgres_url) as proxy:
        database = await open_database(
            proxy.url, METADATA, database_connect_timeout_seconds=1, database_pool_size=1
        )
        async with GroupCommit(database, store) as group:
            await group.submit("a", 1)
            await proxy.refuse()
            results = await asyncio.gather(
                *(group.submit("a", number) for number in range(2, 50)), return_exceptions=True
            )
            assert outcome(results) == [DatabaseUnavailable] * 48
            assert len({id(result) for result in results}) == 48
            await proxy.heal()
            assert outcome([await group.submit("a", 50)]) == [50]
        assert await stored(database) == [1, 50]
