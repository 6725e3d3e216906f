"""Who waits for a connection gets one in turn, and no place in the pool is lost."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from unittest.mock import AsyncMock

import asyncpg
import pytest
from sqlalchemy import Integer
from sqlalchemy import text as sql

from bedplate.database import Database, DatabaseUnavailable, Statement
from bedplate.database.pool import FairPool
from bedplate.testing.clock import SettableClock
from bedplate.testing.proxy import FaultProxy

OpenDatabase = Callable[..., Awaitable[Database]]
CheckedOut = Callable[[Database], int]

BACKEND = Statement(sql("SELECT pg_backend_pid() AS pid").columns(pid=Integer))
CONNECTIONS = Statement(
    sql(
        "SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database()"
    ).columns(count=Integer)
)
ONE_PLACE = {"database_pool_size": 1, "database_max_overflow": 0}
TWO_PLACES = {"database_pool_size": 1, "database_max_overflow": 1}


class Line:
    """Tasks that wait for a connection of a database, and who got one, in order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.served: list[str] = []

    async def join(self, name: str) -> asyncio.Task[None]:
        """Start a task that borrows; return when it waits."""
        waits = asyncio.Event()
        task = asyncio.create_task(self._borrow(name, waits))
        await waits.wait()
        return task

    async def _borrow(self, name: str, waits: asyncio.Event) -> None:
        waits.set()
        async with self.database.borrow():
            self.served.append(name)


async def use_every_place(database: Database, places: int) -> None:
    """Expect that so many connections can be had at once."""
    async with asyncio.timeout(10), AsyncExitStack() as stack:
        for _ in range(places):
            await stack.enter_async_context(database.borrow())


async def test_nobody_overtakes_those_who_wait(
    open_database: OpenDatabase, database_url: str
) -> None:
    """Not even whoever asks at the moment when a connection comes back."""
    database = await open_database(database_url, **ONE_PLACE)
    line = Line(database)
    async with database.borrow():
        waiting = [await line.join(name) for name in "abc"]
    async with database.borrow():
        line.served.append("newcomer")
    await asyncio.gather(*waiting)
    assert line.served == ["a", "b", "c", "newcomer"]


async def test_orm_sessions_wait_in_the_same_line(
    open_database: OpenDatabase, database_url: str
) -> None:
    """They are not overtaken either."""
    database = await open_database(database_url, **ONE_PLACE)
    served: list[str] = []
    waits = asyncio.Event()

    async def use_orm() -> None:
        async with database.orm() as session:
            waits.set()
            await session.execute(sql("SELECT 1"))
            served.append("orm")

    async with database.borrow():
        task = asyncio.create_task(use_orm())
        await waits.wait()
    async with database.borrow():
        served.append("newcomer")
    await task
    assert served == ["orm", "newcomer"]


async def test_a_place_whose_connecting_failed_goes_to_the_next(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """A database that hangs is noticed by all after the time to connect, not that for the pool."""
    async with FaultProxy(postgres_url) as proxy:
        database = await open_database(
            f"{proxy.url}?sslmode=disable", database_connect_timeout_seconds=1.0, **ONE_PLACE
        )
        await proxy.hang()
        async with asyncio.timeout(10):  # by default the pool waits for 30
            found = await asyncio.gather(
                *(database.ping() for _ in range(3)), return_exceptions=True
            )
        assert [type(error) for error in found] == [DatabaseUnavailable] * 3
        await proxy.heal()
        await database.ping()


async def test_connections_are_not_closed_while_somebody_waits(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """Those beyond the pool's size go on to the next; reconnecting under load would cost most."""
    database = await open_database(postgres_url, **TWO_PLACES)
    backends: list[list[int]] = []
    barrier = asyncio.Barrier(2)

    async def work() -> None:
        async with database.borrow() as connection:
            rows = await database.run(connection, BACKEND, {})
            backends.append([row["pid"] for row in rows])
            await barrier.wait()

    await asyncio.gather(*(work() for _ in range(6)))
    assert sorted(backends) == sorted(backends[:2] * 3)


async def test_a_turn_that_comes_too_late_goes_to_the_next(
    open_database: OpenDatabase, database_url: str, checked_out: CheckedOut
) -> None:
    """Cancelled when the connection was handed over already: the next in line has it."""
    database = await open_database(database_url, **ONE_PLACE)
    line = Line(database)
    async with database.borrow():
        late, following = await line.join("late"), await line.join("following")
    late.cancel()
    await asyncio.gather(late, following, return_exceptions=True)
    assert line.served == ["following"]
    assert checked_out(database) == 0


async def test_a_turn_that_comes_too_late_to_a_full_pool(
    open_database: OpenDatabase, database_url: str, checked_out: CheckedOut
) -> None:
    """Nobody takes the connection and the pool has enough: it is closed, its place is free."""
    database = await open_database(database_url, **TWO_PLACES)
    line = Line(database)
    async with database.borrow(), database.borrow():
        late = await line.join("late")
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    assert line.served == []
    assert checked_out(database) == 0
    await use_every_place(database, 2)


async def test_a_place_without_a_connection_that_comes_too_late(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """Cancelled when another's connecting had just failed: the next in line tries it."""
    database = await open_database(f"{postgres_url}_of_nobody", **ONE_PLACE)
    line = Line(database)

    async def fail_then_cancel() -> None:
        with pytest.raises(DatabaseUnavailable):
            await database.read().all(BACKEND)
        late.cancel()

    failing = asyncio.create_task(fail_then_cancel())
    late, following = await line.join("late"), await line.join("following")
    async with asyncio.timeout(10):  # by default the pool waits for 30
        found = await asyncio.gather(failing, late, following, return_exceptions=True)
    assert [type(item) for item in found[1:]] == [asyncio.CancelledError, DatabaseUnavailable]


@pytest.mark.parametrize("fails", [False, True], ids=["works", "fails"])
async def test_no_place_is_lost_at_any_moment(
    open_database: OpenDatabase, postgres_url: str, checked_out: CheckedOut, *, fails: bool
) -> None:
    """Cancel users after every possible number of steps, while connecting works and fails."""
    url = f"{postgres_url}_of_nobody" if fails else postgres_url
    database = await open_database(url, **TWO_PLACES)

    async def use() -> None:
        with suppress(DatabaseUnavailable):
            await database.read().all(BACKEND)

    for steps in range(40):
        users = [asyncio.create_task(use()) for _ in range(6)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for user in users[::2]:
            user.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*users, return_exceptions=True)
        assert checked_out(database) == 0
    if not fails:
        await use_every_place(database, 2)


async def test_closing_is_quiet(
    open_database: OpenDatabase, database_url: str, captured_logs: list[dict[str, object]]
) -> None:
    """SQLAlchemy's notes about a pool that goes away are no lines of a service's log."""
    database = await open_database(database_url)
    await database.ping()
    await database.close()
    assert [line for line in captured_logs if line["level"] != "debug"] == []


async def pid_of(database: Database) -> object:
    """Return which of the server's processes a read runs on."""
    return (await database.read().all(BACKEND))[0]["pid"]


async def only_one_is_left(database: Database) -> None:
    """Expect that soon the server has no connection but the one that is used to ask."""
    async with asyncio.timeout(10):
        while (await database.read().all(CONNECTIONS)) != [{"count": 1}]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the server ends them in its own time


async def test_the_last_to_come_back_is_lent_first(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """Connections that the load doesn't need idle, rather than take turns."""
    database = await open_database(postgres_url, database_pool_size=2)
    async with database.borrow(), database.borrow():
        pass
    async with database.borrow() as first:
        pass
    for _ in range(3):
        async with database.borrow() as lent:
            assert lent is first


async def test_connections_beyond_the_size_are_closed(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """Those that nobody waits for: the server has as many as the pool keeps."""
    database = await open_database(postgres_url, **TWO_PLACES)
    async with database.borrow() as last, database.borrow():
        pass
    await only_one_is_left(database)
    assert last.is_closed()


async def test_an_old_connection_is_replaced(
    open_database: OpenDatabase, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the hour that it may live, and not before."""
    database = await open_database(postgres_url, database_pool_size=1)
    first = await pid_of(database)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3590)
    assert await pid_of(database) == first
    monkeypatch.setattr(time, "time", lambda: now + 3610)
    assert await pid_of(database) != first


@pytest.mark.parametrize("pre_ping", [True, False])
async def test_a_closed_connection_is_replaced(
    open_database: OpenDatabase, postgres_url: str, *, pre_ping: bool
) -> None:
    """Without a round trip, and with it the others that are as old."""
    database = await open_database(postgres_url, database_pre_ping=pre_ping)
    async with database.borrow() as other, database.borrow() as dead:
        pass
    async with database.borrow() as lent:
        dead, other = (lent, other) if lent is other else (lent, dead)
        lent.terminate()
    async with database.borrow() as first, database.borrow() as second:
        assert {first, second}.isdisjoint({dead, other})


async def test_a_dead_connection_is_noticed_once(
    open_database: OpenDatabase,
    postgres_url: str,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It idled and doesn't answer: 2 s for the first loan, none for others as old."""
    database = await open_database(postgres_url, database_pool_size=2)
    async with database.borrow() as first, database.borrow() as second:
        pass
    answer = AsyncMock(side_effect=TimeoutError)
    monkeypatch.setattr(asyncpg.Connection, "execute", answer)
    clock.advance(seconds=5)
    async with database.borrow() as third, database.borrow() as fourth:
        assert {third, fourth}.isdisjoint({first, second})
    answer.assert_awaited_once_with("SELECT 1", timeout=2.0)


async def test_a_cancelled_ping_costs_its_connection(
    open_database: OpenDatabase, postgres_url: str, clock: SettableClock, checked_out: CheckedOut
) -> None:
    """Its answer may still come, and would be taken for the next one's."""
    database = await open_database(postgres_url, **ONE_PLACE)
    first = await pid_of(database)
    for steps in range(1, 12):
        clock.advance(seconds=5)
        task = asyncio.create_task(pid_of(database))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert checked_out(database) == 0
        await use_every_place(database, 1)
    assert await pid_of(database) != first
    await only_one_is_left(database)


async def test_a_loan_ends_with_the_database(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """Closing closes what is lent; whoever gives it back later leaves no connection behind."""
    database = await open_database(postgres_url, **TWO_PLACES)
    operator = await open_database(postgres_url)
    async with database.borrow() as lent:
        await database.close()
        assert lent.is_closed()
    await use_every_place(database, 2)  # it opens anew
    await database.close()
    await only_one_is_left(operator)


async def test_what_comes_back_to_a_closed_pool_is_closed(
    open_database: OpenDatabase, database_url: str
) -> None:
    """Nobody would ever take it again."""
    database = await open_database(database_url, **TWO_PLACES)
    pool = database.engine.pool
    assert isinstance(pool, FairPool)
    async with database.borrow():
        await database.close()
    assert (pool.checkedout(), pool.checkedin()) == (0, 0)
    await pool.close()  # of what is being closed


async def test_orm_sessions_use_the_same_connections(
    open_database: OpenDatabase, postgres_url: str, checked_out: CheckedOut
) -> None:
    """There is one pool: one limit, one count, and nothing that both set up."""
    database = await open_database(postgres_url, **ONE_PLACE)
    first = await pid_of(database)
    async with database.orm() as session:
        assert await session.scalar(sql("SELECT pg_backend_pid()")) == first
        assert checked_out(database) == 1
    assert await pid_of(database) == first
    assert checked_out(database) == 0
