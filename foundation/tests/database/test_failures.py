"""A database that is away, hangs or is overrun: always a 503, bounded, and back by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from unittest.mock import Mock

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy import text as sql

from bedplate.database import Database, DatabaseUnavailable, LockTimeout, Statement
from bedplate.testing.clock import SettableClock
from bedplate.testing.postgres import PostgresServer
from bedplate.testing.proxy import FaultProxy

OpenDatabase = Callable[..., Awaitable[Database]]
CheckedOut = Callable[[Database], int]
Use = Callable[[Database], Awaitable[object]]

METADATA = MetaData()
VISITS = Table("visits", METADATA, Column("id", Integer, primary_key=True))
ADD = Statement(insert(VISITS).values(id=bindparam("number")).returning(VISITS.c.id))
COUNT = Statement(select(func.count().label("count")).select_from(VISITS))
COUNT_AS_WRITE = Statement(text("SELECT count(*) AS count FROM visits").columns(count=Integer))
SLEEP = Statement(select(func.pg_sleep(60).label("slept")))
TERMINATE = Statement(
    sql(
        "SELECT pg_terminate_backend(pid, 5000) AS done FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ).columns(done=Integer)
)
# Short, so that a test takes no longer than it must: connect, statement, wait for the pool.
BOUNDS = {
    "database_connect_timeout_seconds": 0.5,
    "database_command_timeout_seconds": 0.5,
    "database_pool_timeout_seconds": 0.5,
}
# A wait for the pool, then a ping (2 s), then a connect, then a statement and its cancellation.
MAX_SECONDS = 10


async def read(database: Database) -> object:
    """Read once."""
    return await database.read().all(COUNT)


async def write(database: Database) -> object:
    """Write once, in a transaction."""
    async with database.write() as session:
        await session.all(COUNT)
        return await session.all(COUNT)


async def autocommit(database: Database) -> object:
    """Write once, without a transaction: a `text()` counts as a statement that writes."""
    async with database.autocommit() as session:
        return await session.all(COUNT_AS_WRITE)


async def ping(database: Database) -> object:
    """Ask as a health check does."""
    await database.ping()
    return None


USES = pytest.mark.parametrize("use", [read, write, autocommit, ping])


@pytest.fixture(name="proxy")
async def _proxy(postgres_url: str) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, proxy: FaultProxy) -> Database:
    return await open_database(f"{proxy.url}?sslmode=disable", METADATA, **BOUNDS)


async def refused(work: Awaitable[object]) -> None:
    """Expect the 503, with a time to come back at, within the bound."""
    async with asyncio.timeout(MAX_SECONDS):
        with pytest.raises(DatabaseUnavailable) as error:
            await work
    assert error.value.status == 503
    assert error.value.headers["Retry-After"] == "2"


async def many(use: Use, database: Database) -> None:
    """Expect the 503 from each of twenty uses at once."""
    async with asyncio.timeout(3 * MAX_SECONDS):
        found = await asyncio.gather(*(use(database) for _ in range(20)), return_exceptions=True)
    assert {type(item) for item in found} == {DatabaseUnavailable}


@USES
async def test_a_refused_connection(
    database: Database, proxy: FaultProxy, use: Use, checked_out: CheckedOut
) -> None:
    """Connections that stood are lost and new ones refused; afterwards the next request works."""
    await use(database)
    await proxy.refuse()
    await refused(use(database))
    await many(use, database)
    await proxy.heal()
    await use(database)
    assert checked_out(database) == 0


@USES
async def test_a_database_that_is_away_from_the_start(
    open_database: OpenDatabase, proxy: FaultProxy, use: Use
) -> None:
    """The first connection ever is refused or hangs, and later the same engine works."""
    database = await open_database(f"{proxy.url}?sslmode=disable", **BOUNDS)
    await proxy.refuse()
    await refused(use(database))
    await proxy.hang()
    await refused(use(database))
    await proxy.heal()
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await use(database)


@USES
@pytest.mark.parametrize("idle_seconds", [0, 5], ids=["busy", "idle"])
async def test_a_hanging_connection(
    database: Database,
    proxy: FaultProxy,
    use: Use,
    clock: SettableClock,
    idle_seconds: int,
    checked_out: CheckedOut,
) -> None:
    """Nothing answers, not even to a cancellation: bounded, for idle connections and busy ones."""
    await use(database)
    await proxy.hang()
    clock.advance(seconds=idle_seconds)
    await refused(use(database))
    await many(use, database)
    assert checked_out(database) == 0
    await proxy.heal()
    async with asyncio.timeout(MAX_SECONDS):
        await use(database)
    assert checked_out(database) == 0


async def test_what_hung_is_closed(database: Database, proxy: FaultProxy) -> None:
    """No connection and no task of a hung statement outlives it by long."""
    await proxy.hang()
    await many(read, database)
    async with asyncio.timeout(MAX_SECONDS):
        await database.close()
    left = [task for task in asyncio.all_tasks() if "_cancel" in repr(task.get_coro())]
    assert not left


async def test_all_hanging_connections_close_together(
    open_database: OpenDatabase, proxy: FaultProxy
) -> None:
    """However many idle connections hang, closing them takes as long as one: 2 s."""
    database = await open_database(f"{proxy.url}?sslmode=disable", METADATA)
    async with AsyncExitStack() as lent:
        for _ in range(3):
            await lent.enter_async_context(database.borrow())
    await proxy.hang()
    async with asyncio.timeout(5):
        await database.close()


@USES
async def test_a_connection_that_is_cut(database: Database, proxy: FaultProxy, use: Use) -> None:
    """It stood in the pool when it was reset: the next use gets a new one at once."""
    await use(database)
    await proxy.cut()
    with suppress(DatabaseUnavailable):  # the reset may not have been read yet
        await use(database)
    await use(database)


async def test_a_statement_that_is_cut(
    database: Database, proxy: FaultProxy, checked_out: CheckedOut
) -> None:
    """A connection that is reset in the middle of a statement, and of a transaction."""
    for work in (database.read().all(SLEEP), store_and_sleep(database)):
        task = asyncio.ensure_future(work)
        await asyncio.wait({task}, timeout=0.2)
        await proxy.cut()
        await refused(task)
    assert await database.read().all(COUNT) == [{"count": 0}]
    assert checked_out(database) == 0


async def store_and_sleep(database: Database) -> None:
    """Store something, then take too long in the same transaction."""
    async with database.write() as session:
        await session.all(ADD, number=1)
        await session.all(SLEEP)


async def test_a_statement_that_takes_too_long(
    open_database: OpenDatabase, postgres_url: str, checked_out: CheckedOut
) -> None:
    """By our bound, or by the server's own."""
    limited = f"{postgres_url}?options=-c%20statement_timeout%3D200"
    for url, bound in ((postgres_url, 0.3), (limited, 30)):
        database = await open_database(url, METADATA, database_command_timeout_seconds=bound)
        await refused(database.read().all(SLEEP))
        await refused(store_and_sleep(database))
        assert checked_out(database) == 0
        assert await database.read().all(COUNT) == [{"count": 0}]


async def test_a_backend_that_is_terminated(open_database: OpenDatabase, postgres_url: str) -> None:
    """As an operator or a failover does it, to idle connections and in a transaction."""
    database, operator = [await open_database(postgres_url, METADATA) for _ in range(2)]

    async def interrupted() -> None:
        async with database.write() as session:
            await session.all(ADD, number=1)
            await operator.read().all(TERMINATE)
            await session.all(COUNT)

    await refused(interrupted())
    assert await database.read().all(COUNT) == [{"count": 0}]
    await operator.read().all(TERMINATE)
    with suppress(DatabaseUnavailable):  # the end may not have been read yet
        await database.read().all(COUNT)
    assert await database.read().all(COUNT) == [{"count": 0}]


@USES
async def test_an_exhausted_pool(open_database: OpenDatabase, postgres_url: str, use: Use) -> None:
    """Whoever waits for a connection in vain is reported so; whoever has one goes on."""
    database = await open_database(
        postgres_url,
        METADATA,
        database_pool_size=1,
        database_max_overflow=0,
        database_pool_timeout_seconds=0.2,
    )
    async with database.write() as session:
        await session.all(ADD, number=1)
        await refused(use(database))
    await use(database)


async def test_pings_at_once_share_a_connection(
    open_database: OpenDatabase, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health checks of any number take one connection at a time, and two in all."""
    database = await open_database(database_url, METADATA)
    borrow = Mock(wraps=database.borrow)
    monkeypatch.setattr(database, "borrow", borrow)
    await asyncio.gather(*(database.ping() for _ in range(50)))
    assert borrow.call_count == 2


async def test_a_server_without_a_free_connection(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """The server's own limit is an outage too, not an error of ours."""
    operator = await open_database(postgres_url, METADATA)
    async with operator.engine.connect() as connection:
        await connection.execute(sql("DROP ROLE IF EXISTS limited"))
        await connection.execute(sql("CREATE ROLE limited LOGIN CONNECTION LIMIT 1"))
        await connection.execute(sql("GRANT SELECT ON visits TO limited"))
        await connection.commit()
    database = await open_database(postgres_url.replace("postgres@", "limited@"))
    async with database.write() as session:
        await session.all(COUNT)
        await refused(database.read().all(COUNT))
    await database.read().all(COUNT)
    await database.close()
    async with operator.engine.begin() as connection:
        await connection.execute(sql("DROP OWNED BY limited"))
        await connection.execute(sql("DROP ROLE limited"))


@pytest.mark.parametrize(
    "change", ["nobody@", "postgres@", None], ids=["role", "database", "options"]
)
async def test_a_connection_that_the_server_refuses(
    open_database: OpenDatabase, postgres_url: str, change: str | None
) -> None:
    """A role or a database that doesn't exist (yet) is an outage, without a word of which."""
    url = {
        "nobody@": postgres_url.replace("postgres@", "nobody@"),
        "postgres@": f"{postgres_url}_of_nobody",
        None: f"{postgres_url}?options=-c%20nonsense%3D1",
    }[change]
    database = await open_database(url)
    await refused(database.read().all(COUNT))
    with pytest.raises(DatabaseUnavailable) as error:
        await database.ping()
    assert "nobody" not in f"{error.value} {error.value.members}"


@pytest.fixture(name="server")
def _server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


async def test_a_server_that_is_killed_under_load(
    open_database: OpenDatabase, server: PostgresServer, checked_out: CheckedOut
) -> None:
    """SIGKILL, then a start: only 503s meanwhile, what was committed is there, and no restart."""
    database = await open_database(server.url, METADATA)
    stored: list[int] = []
    odd: list[BaseException] = []
    numbers = iter(range(1_000_000))
    warm, stop = asyncio.Event(), asyncio.Event()

    async def load() -> None:
        while not stop.is_set():
            number = next(numbers)
            try:
                async with database.write() as session:
                    await session.all(ADD, number=number)
                stored.append(number)
                if number > 100:
                    warm.set()
                await database.read().all(COUNT)
            except DatabaseUnavailable:
                await asyncio.sleep(0)
            except Exception as error:  # noqa: BLE001 - whatever else comes is the finding
                odd.append(error)

    load_tasks = [asyncio.ensure_future(load()) for _ in range(10)]
    await asyncio.wait_for(warm.wait(), 30)
    await asyncio.to_thread(server.kill)
    await many(read, database)
    await asyncio.to_thread(server.start)
    assert len(await database.read().all(COUNT)) == 1
    stop.set()
    await asyncio.gather(*load_tasks)
    assert not odd
    kept = {row["id"] for row in await database.read().all(Statement(select(VISITS.c.id)))}
    assert set(stored) <= kept
    assert checked_out(database) == 0


async def test_a_schema_that_changed_under_a_prepared_statement(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """A migration while we run: the transaction that meets it is a 503, the next one works."""
    database = await open_database(postgres_url, METADATA, database_pool_size=1)
    everything = Statement(sql("SELECT * FROM visits").columns(VISITS.c.id))
    await database.read().all(everything)
    async with database.write() as session:
        await session.all(everything)
    migrating = await open_database(postgres_url)
    async with migrating.engine.begin() as connection:
        await connection.execute(sql("ALTER TABLE visits ALTER COLUMN id TYPE bigint"))

    async def transaction() -> None:
        async with database.write() as session:
            await session.all(everything)

    await refused(transaction())
    await transaction()
    assert await database.read().all(everything) == []


async def test_a_deadlock_is_a_503_for_one_and_success_for_the_other(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """PostgreSQL ends one of two transactions that wait for each other."""
    database = await open_database(postgres_url, METADATA)
    lock = Statement(
        select(VISITS.c.id).where(VISITS.c.id == bindparam("number")).with_for_update()
    )
    async with database.write() as session:
        await session.all(ADD, number=1)
        await session.all(ADD, number=2)
    barrier = asyncio.Barrier(2)

    async def lock_both(first: int, second: int) -> None:
        async with database.write() as session:
            await session.all(lock, number=first)
            await barrier.wait()
            await session.all(lock, number=second)

    found = await asyncio.gather(lock_both(1, 2), lock_both(2, 1), return_exceptions=True)
    assert sorted(type(item).__name__ for item in found) == ["DatabaseUnavailable", "NoneType"]


async def test_a_sqlite_file_that_another_process_locks(
    open_database: OpenDatabase, sqlite_url: str
) -> None:
    """The wait is bounded, reads go on, and the next write after it works."""
    first = await open_database(sqlite_url, METADATA)
    second = await open_database(sqlite_url, database_command_timeout_seconds=0.2)
    async with first.write() as session:
        await session.all(ADD, number=1)
        with pytest.raises((LockTimeout, DatabaseUnavailable)):
            await write(second)
        assert await second.read().all(COUNT) == [{"count": 0}]
    await write(second)
    assert await second.read().all(COUNT) == [{"count": 1}]
