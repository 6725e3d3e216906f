"""Read sessions and write sessions: round trips, commits, roll-backs, cancellations, races."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, func, insert, select
from sqlalchemy import text as sql

from bedplate.database import (
    Database,
    DatabaseUnavailable,
    LockTimeout,
    Statement,
    UniqueViolation,
    WriteSession,
)
from bedplate.database.sessions import MAX_ROWS_AT_ONCE
from bedplate.problems import Conflict

OpenDatabase = Callable[..., Awaitable[Database]]
CheckedOut = Callable[[Database], int]

METADATA = MetaData()
VISITS = Table(
    "visits",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(50), nullable=False),
)
ADD = Statement(
    insert(VISITS).values(id=bindparam("number"), name=bindparam("who")).returning(VISITS.c.id)
)
COUNT = Statement(select(func.count().label("count")).select_from(VISITS))
FIND = Statement(select(VISITS.c.id, VISITS.c.name).where(VISITS.c.id == bindparam("number")))
PID = Statement(select(func.pg_backend_pid().label("pid")))
SLEEP = Statement(select(func.pg_sleep(60).label("slept")))
BOUND = Statement(select(func.current_setting("lock_timeout").label("bound")))
RUNNING = Statement(
    sql(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
    ).columns(pid=Integer)
)
ENDLESS = Statement(
    sql("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c")
)


class RoundTrips:
    """A relay before PostgreSQL that counts how often a client writes and then waits."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._server = (parts.hostname, parts.port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered = True
        self.count = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        there_reader, there_writer = await asyncio.open_connection(*self._server)
        await asyncio.gather(
            self._pass_on(reader, there_writer, asked=True),
            self._pass_on(there_reader, writer, asked=False),
        )

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool
    ) -> None:
        while data := await reader.read(65_536):
            self.count += asked and self._answered
            self._answered = not asked
            writer.write(data)
        writer.close()


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, RoundTrips]]:
    """Give the URL by way of a relay, and the relay."""
    relay = RoundTrips(url)
    async with await asyncio.start_server(relay.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield urlsplit(url)._replace(netloc=f"postgres@127.0.0.1:{port}").geturl(), relay


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


@pytest.fixture(name="postgres")
async def _postgres(open_database: OpenDatabase, postgres_url: str) -> Database:
    return await open_database(postgres_url, METADATA, database_pool_size=1)


async def count(database: Database) -> int:
    """Return how many visits are stored."""
    row = await database.read().one_or_none(COUNT)
    assert row is not None
    number: int = row["count"]
    return number


async def pid(database: Database) -> int:
    """Return the server process of the pool's only connection."""
    row = await database.read().one_or_none(PID)
    assert row is not None
    number: int = row["pid"]
    return number


async def add(database: Database, number: int) -> None:
    """Store a visit in a transaction of its own."""
    async with database.write() as session:
        await session.one(ADD, number=number, who="Ada")


async def test_reads_and_writes_pay_for_no_more_than_they_need(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """A read is one round trip, a transaction of one statement three, an autocommit one."""
    async with counted(postgres_url) as (url, relay):
        database = await open_database(url, METADATA, database_pool_size=1)
        for number in (1, 2):
            before = relay.count
            await count(database)
            after_read = relay.count
            await add(database, number)
            after_write = relay.count
            async with database.autocommit() as autocommit:
                await autocommit.one(ADD, number=number + 10, who="Ada")
            after_autocommit = relay.count
        assert after_read - before == 1
        assert after_write - after_read == 3
        assert after_autocommit - after_write == 1
        before = relay.count
        async with database.write():
            pass
        assert relay.count == before
        await database.close()


async def test_a_write_is_committed_when_the_block_ends(database: Database) -> None:
    """Its own statements see it before, others only afterwards."""
    async with database.write() as session:
        assert await session.one(ADD, number=1, who="Ada") == {"id": 1}
        assert await session.one_or_none(FIND, number=1) == {"id": 1, "name": "Ada"}
        assert await session.one_or_none(FIND, number=2) is None
        assert await count(database) == 0
    assert await count(database) == 1


async def test_an_error_rolls_everything_back(database: Database) -> None:
    """Nothing of the transaction stays, and the error goes on as it is."""
    with pytest.raises(Conflict, match="taken"):
        await add_and_fail(database, Conflict("It is taken."))
    with pytest.raises(ZeroDivisionError):
        await add_and_fail(database, ZeroDivisionError())
    assert await count(database) == 0


async def add_and_fail(database: Database, error: Exception) -> None:
    """Store two visits and raise."""
    async with database.write() as session:
        await session.all(ADD, number=1, who="Ada")
        await session.all(ADD, number=2, who="Ada")
        raise error


async def test_a_refused_statement_keeps_the_connection(postgres: Database) -> None:
    """Violations and a domain's own errors need no new connection."""
    before = await pid(postgres)
    await add(postgres, 1)
    for _ in range(3):
        with pytest.raises(UniqueViolation):
            await add(postgres, 1)
        with pytest.raises(Conflict):
            await add_and_fail(postgres, Conflict())
    assert await pid(postgres) == before


async def test_a_swallowed_error_is_no_silent_roll_back(database: Database) -> None:
    """PostgreSQL rolls back on that COMMIT without an error; nobody may take that for success."""

    async def swallow() -> None:
        async with database.write() as session:
            await session.all(ADD, number=1, who="Ada")
            with suppress(UniqueViolation):
                await session.all(ADD, number=1, who="Ada")

    if database.dialect.name == "sqlite":  # where only the statement is undone
        await swallow()
        assert await count(database) == 1
        return
    with pytest.raises(RuntimeError, match="rolled everything back"):
        await swallow()
    assert await count(database) == 0
    await add(database, 1)


async def test_a_deferred_constraint_fails_the_commit(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """What is only checked at COMMIT is an error too, and the connection stays good."""
    database = await open_database(postgres_url, database_pool_size=1)
    async with database.engine.begin() as connection:
        await connection.execute(
            sql(
                "CREATE TABLE visits (id int CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED,"
                " name text)"
            )
        )
    before = await pid(database)

    async def twice() -> None:
        async with database.write() as session:
            await session.all(ADD, number=1, who="Ada")
            await session.all(ADD, number=1, who="Ada")

    with pytest.raises(UniqueViolation) as violation:
        await twice()
    assert violation.value.constraint == "once"
    assert await count(database) == 0
    assert await pid(database) == before


async def test_a_cancelled_write_leaves_nothing(
    database: Database, checked_out: CheckedOut
) -> None:
    """Neither in the database nor in the pool, whenever it is cancelled."""
    begun = asyncio.Event()

    async def write() -> None:
        async with database.write() as session:
            await session.all(ADD, number=1, who="Ada")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert checked_out(database) == 0
    assert await count(database) == 0
    await add(database, 1)


async def test_a_cancelled_statement_is_cancelled_on_the_server(
    open_database: OpenDatabase, postgres: Database, postgres_url: str
) -> None:
    """Its connection is given up, its place in the pool is free at once, the server stops too."""
    before = await pid(postgres)
    other = await open_database(postgres_url)
    sleeping = asyncio.ensure_future(postgres.read().all(SLEEP))
    async with asyncio.timeout(30):
        while not await other.read().all(RUNNING):
            pass
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        while await other.read().all(RUNNING):
            pass
    assert await pid(postgres) != before


async def test_cancelling_at_any_moment_loses_no_connection(
    database: Database, checked_out: CheckedOut
) -> None:
    """Sixty writers are cancelled after 0, 1, 2, … turns of the event loop."""
    for turns in range(60):
        task = asyncio.ensure_future(add(database, turns))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert checked_out(database) == 0
    await add(database, 1000)
    names = await database.read().all(FIND, number=1000)
    assert names == [{"id": 1000, "name": "Ada"}]


async def test_an_endless_statement_on_sqlite_is_bounded(
    open_database: OpenDatabase, sqlite_url: str, checked_out: CheckedOut
) -> None:
    """It ends with the command timeout, its thread with it; a cancelled one ends at once."""
    database = await open_database(sqlite_url, METADATA, database_command_timeout_seconds=0.3)
    with pytest.raises(DatabaseUnavailable):
        await database.read().all(ENDLESS)
    task = asyncio.ensure_future(database.read().all(ENDLESS))
    await asyncio.wait({task}, timeout=0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert checked_out(database) == 0
    async with asyncio.timeout(30):
        await database.close()


@pytest.mark.parametrize("databases", [1, 2])
async def test_writers_take_turns_on_sqlite(
    open_database: OpenDatabase, sqlite_url: str, databases: int
) -> None:
    """A hundred transactions at once that read and then write: none finds the file locked."""
    opened = [await open_database(sqlite_url, METADATA) for _ in range(databases)]

    async def read_then_write(database: Database) -> None:
        async with database.write() as session:
            found = await session.one(COUNT)
            await session.all(ADD, number=found["count"], who="Ada")

    await asyncio.gather(*(read_then_write(opened[n % databases]) for n in range(100)))
    assert await count(opened[0]) == 100


async def test_the_wait_for_another_writer_is_bounded(database: Database) -> None:
    """After the bound it is a LockTimeout, and the connection stays good."""

    async def wait_for(session: WriteSession) -> None:
        await session.limit_waits(0.2)
        await session.all(ADD, number=1, who="Grace")

    async with database.write() as first:
        await first.all(ADD, number=1, who="Ada")
        with pytest.raises(LockTimeout) as timeout:
            async with database.write() as second:
                await wait_for(second)
        assert timeout.value.headers["Retry-After"] == "2"
    assert await database.read().all(FIND, number=1) == [{"id": 1, "name": "Ada"}]


async def test_a_bound_can_be_set_late(postgres: Database) -> None:
    """A transaction that has begun already takes it too, and it ends with the transaction."""
    async with postgres.write() as session:
        await session.all(COUNT)
        await session.limit_waits(0.2)
        assert await session.one(BOUND) == {"bound": "200ms"}
    assert await postgres.read().all(BOUND) == [{"bound": "0"}]


async def test_a_session_is_over_when_its_block_is(database: Database) -> None:
    """Using it again is a mistake that says so, rather than a transaction nobody ends."""
    async with database.write() as session:
        await session.all(ADD, number=1, who="Ada")
    async with database.autocommit() as unused:
        pass
    for use in (session.all, unused.all):
        with pytest.raises(RuntimeError, match="ended"):
            await use(ADD, number=2, who="Ada")
    assert await count(database) == 1


async def test_an_autocommit_writes_once(database: Database, checked_out: CheckedOut) -> None:
    """A second statement that writes raises, whatever way it is run; reads are free."""
    async with database.autocommit() as session:
        await session.all(COUNT)
        await session.one(ADD, number=1, who="Ada")
        assert (await session.one(COUNT))["count"] == 1
        for use in (session.all, session.one, session.one_or_none):
            with pytest.raises(RuntimeError, match="WriteSession"):
                await use(ADD, number=2, who="Ada")
        with pytest.raises(RuntimeError, match="no transaction"):
            await session.limit_waits(1.0)
    assert await count(database) == 1
    assert checked_out(database) == 0


async def test_an_autocommit_is_committed_whatever_comes_later(database: Database) -> None:
    """The database has committed the statement when it returns; a failed one counts as the one."""

    async def fail_after_writing() -> None:
        async with database.autocommit() as session:
            await session.one(ADD, number=1, who="Ada")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    assert await count(database) == 1
    async with database.autocommit() as session:
        with pytest.raises(UniqueViolation):
            await session.one(ADD, number=1, who="Ada")
        with pytest.raises(RuntimeError, match="WriteSession"):
            await session.one(ADD, number=2, who="Ada")
    assert await count(database) == 1


async def test_a_mistake_in_a_statement_is_no_problem_document(
    database: Database, checked_out: CheckedOut
) -> None:
    """A missing parameter or table is our own mistake: it is raised as it is."""
    with pytest.raises(KeyError):
        await database.read().all(FIND)
    with pytest.raises(Exception, match="nothing") as mistake:
        await database.read().all(Statement(sql("SELECT 1 FROM nothing")))
    assert mistake.value.__cause__ is not mistake.value
    assert checked_out(database) == 0


async def test_the_orm_is_there_too(database: Database, checked_out: CheckedOut) -> None:
    """SQLAlchemy's own session reads and commits on the same pool."""
    async with database.orm() as session:
        await session.execute(insert(VISITS).values(id=1, name="Ada"))
        await session.commit()
    async with database.orm() as session:
        await session.execute(insert(VISITS).values(id=2, name="Ada"))
    assert await count(database) == 1
    assert checked_out(database) == 0


async def test_after_commit_comes_after_the_commit(database: Database) -> None:
    """What was asked for happens in order when the transaction is stored, and not before."""
    seen: list[str] = []
    async with database.write() as session:
        session.after_commit(lambda: seen.append("first"))
        await session.one(ADD, number=1, who="Ada")
        session.after_commit(lambda: seen.append("second"))
        assert seen == []
    assert seen == ["first", "second"]
    async with database.autocommit() as autocommit:
        autocommit.after_commit(lambda: seen.append("third"))
        assert await autocommit.one_or_none(FIND, number=1) is not None
        assert seen == ["first", "second"]
        await autocommit.one(ADD, number=2, who="Ada")
        assert seen == ["first", "second", "third"]
        with pytest.raises(RuntimeError, match="ran already"):
            autocommit.after_commit(lambda: None)


async def test_after_commit_is_forgotten_without_a_commit(database: Database) -> None:
    """An error in the block, or at the COMMIT, and nothing happens."""
    seen: list[str] = []

    async def fail() -> None:
        async with database.write() as session:
            session.after_commit(lambda: seen.append("never"))
            await session.one(ADD, number=1, who="Ada")
            raise Conflict

    with pytest.raises(Conflict):
        await fail()
    database.commit = "COMMIT; this is no SQL"

    async def fail_at_the_commit() -> None:
        async with database.write() as session:
            session.after_commit(lambda: seen.append("never"))
            await session.one(ADD, number=2, who="Ada")

    with pytest.raises(Exception, match=r"syntax|one statement"):
        await fail_at_the_commit()
    assert seen == []


async def test_a_failing_after_commit_fails_nothing(
    database: Database, captured_logs: list[dict[str, object]]
) -> None:
    """The transaction is stored, the others still happen, and the log has the error."""
    seen: list[str] = []
    async with database.write() as session:
        session.after_commit(lambda: 1 / 0)
        session.after_commit(lambda: seen.append("still"))
        await session.one(ADD, number=1, who="Ada")
    assert seen == ["still"]
    assert await count(database) == 1
    assert [line for line in captured_logs if line["event"] == "after_commit_failed"]


async def test_transactions_with_one_lock_take_turns(database: Database) -> None:
    """Two hundred read-then-write transactions under one lock lose no update."""

    async def add_next() -> None:
        async with database.write() as session:
            await session.lock("visits")
            row = await session.one(COUNT)
            await session.one(ADD, number=row["count"], who="Ada")

    await asyncio.gather(*(add_next() for _ in range(200)))
    assert await count(database) == 200


async def test_an_autocommit_holds_no_lock(database: Database) -> None:
    """A lock without a transaction would hold nothing, so it is refused."""
    with pytest.raises(RuntimeError, match="visits"):
        await database.autocommit().lock("visits")


async def test_others_run_while_many_rows_are_made(
    open_database: OpenDatabase, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another task runs between the parts of a long result, here with all records at hand."""
    database = await open_database(database_url)
    records = [(number, "Ann") for number in range(5 * MAX_ROWS_AT_ONCE)]

    async def fetch(*_: object) -> list[tuple[int, str]]:
        return records

    monkeypatch.setattr(database.driver, "fetch", fetch)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    rows = await database.run(None, FIND, {"number": 1})
    counting.cancel()
    assert turns == 4
    assert rows == [{"id": number, "name": "Ann"} for number, _ in records]
