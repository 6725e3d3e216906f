"""Column types that mean the same on both databases."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table, bindparam, insert, select
from sqlalchemy import text as sql

from bedplate.database import GUID, Database, DataRefused, Statement, UTCDateTime

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
VISITS = Table("visits", METADATA, Column("id", GUID, primary_key=True), Column("at", UTCDateTime))
ADD = Statement(insert(VISITS).values(id=bindparam("key"), at=bindparam("instant")))
ALL = Statement(select(VISITS.c.id, VISITS.c.at))
ID = UUID("8f14e45f-ceea-467f-a8a5-5b1e0c2d3e4f")
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


async def add(database: Database, at: datetime) -> None:
    """Store a visit."""
    async with database.write() as session:
        await session.all(ADD, key=ID, instant=at)


@pytest.mark.parametrize("at", [FIRST + MOMENT, LAST - MOMENT])
async def test_instants_reach_from_the_first_year_to_the_last(
    database: Database, at: datetime
) -> None:
    """To the microsecond."""
    await add(database, at)
    assert await database.read().all(ALL) == [{"id": ID, "at": at}]


@pytest.mark.parametrize(
    "at",
    [
        FIRST,
        LAST,
        FIRST.replace(tzinfo=timezone(timedelta(hours=1))),
        LAST.replace(tzinfo=timezone(timedelta(hours=-1))),
    ],
)
async def test_an_instant_that_would_be_infinity_is_refused(
    database: Database, at: datetime
) -> None:
    """The driver stores the ends of Python's calendar as infinity, which no JSON has."""
    with pytest.raises(DataRefused):
        await add(database, at)


async def test_what_other_programs_find(database: Database) -> None:
    """On SQLite a UUID is its text and an instant is UTC, on PostgreSQL both have their types."""
    await add(database, datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))))
    kinds = {
        "sqlite": "SELECT typeof(id) || ' ' || id, typeof(at) || ' ' || at FROM visits",
        "postgresql": (
            "SELECT pg_typeof(id) || ' ' || id,"
            " pg_typeof(at) || ' ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
            " FROM visits"
        ),
    }
    name = database.dialect.name
    async with database.engine.connect() as connection:
        found = (await connection.execute(sql(kinds[name]))).one()
    guid, instant = ("text", "text") if name == "sqlite" else ("uuid", "timestamp with time zone")
    assert tuple(found) == (f"{guid} {ID}", f"{instant} 2026-01-02 01:00:00.000000")


async def test_the_orm_reads_them_alike(database: Database) -> None:
    """They are ordinary column types."""
    await add(database, FIRST + MOMENT)
    async with database.orm() as session:
        assert (await session.execute(select(VISITS))).one() == (ID, FIRST + MOMENT)
