"""Statements: every kind of parameter and column, the same rows on both databases."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite.base import SQLiteDialect as SQLite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import GUID, AnyOf, Database, DataRefused, Statement, UTCDateTime

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
KINDS: dict[str, Any] = {
    "guid": GUID,
    "uuid": Uuid,
    "instant": UTCDateTime,
    "day": Date,
    "hour": Time,
    "local": DateTime,
    "yes": Boolean,
    "small": Integer,
    "big": BigInteger,
    "real": Float,
    "money": Numeric(20, 4),
    "name": String(100),
    "body": Text,
    "data": LargeBinary,
    "tree": JSON(none_as_null=True),
}
THINGS = Table(
    "things",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    *(Column(name, kind) for name, kind in KINDS.items()),
)
ADD = Statement(
    insert(THINGS)
    .values(id=bindparam("number"), **{name: bindparam(f"new_{name}") for name in KINDS})
    .returning(*THINGS.c)
)
ALL = Statement(select(*THINGS.c).order_by(THINGS.c.id))
CLEAR = Statement(delete(THINGS))
NOTHING: dict[str, Any] = dict.fromkeys(KINDS)
ID = UUID("8f14e45f-ceea-467f-a8a5-5b1e0c2d3e4f")
NOON = datetime(2026, 1, 2, 12, 30, 15, 123456, tzinfo=UTC)
FULL: dict[str, Any] = {
    "guid": ID,
    "uuid": ID,
    "instant": NOON,
    "day": date(2026, 1, 2),
    "hour": time(12, 30, 15, 5),
    "local": datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - a column without a time zone
    "yes": True,
    "small": -(2**31),
    "big": 2**63 - 1,
    "real": 0.1,
    "money": Decimal("1234567890.1234"),
    "name": 'O\'Brien "Ada" \\ % :x 🎉',
    "body": "é" * 10_000,
    "data": b"\0\xff",
    "tree": {"a": [1, 2.5, None, True, "é\"'"]},
}


class Base(DeclarativeBase):
    """Of the mapped classes below."""


class Animal(Base):
    """A mapped class, as backends declare them."""

    __tablename__ = "animals"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    legs: Mapped[int] = mapped_column(server_default="4")


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


async def store(database: Database, number: int, values: dict[str, Any]) -> dict[str, Any]:
    """Store a thing and return it as the database does."""
    parameters = {f"new_{name}": value for name, value in (NOTHING | values).items()}
    async with database.write() as session:
        return await session.one(ADD, number=number, **parameters)


async def test_every_kind_of_value_comes_back_as_it_went(database: Database) -> None:
    """Through INSERT … RETURNING and through SELECT, with NULLs beside."""
    full, empty = {"id": 1, **FULL}, {"id": 2, **NOTHING}
    assert await store(database, 1, FULL) == full
    assert await store(database, 2, {}) == empty
    rows = await database.read().all(ALL)
    assert rows == [full, empty]
    assert all(isinstance(rows[0][name], type(value)) for name, value in FULL.items())
    assert rows[0]["instant"].tzinfo is UTC or rows[0]["instant"].utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", [name for name in KINDS if name != "tree"])
async def test_every_kind_of_value_can_be_searched_for(database: Database, name: str) -> None:
    """As a parameter of WHERE, and among none, one and a thousand values."""
    column = THINGS.c[name]
    await store(database, 1, FULL)
    await store(database, 2, {})
    equal = Statement(select(THINGS.c.id).where(column == bindparam("it")))
    assert await database.read().all(equal, it=FULL[name]) == [{"id": 1}]
    if name == "data":
        return  # JSON has no place for bytes
    among = Statement(select(THINGS.c.id).where(AnyOf(column, "them")))
    assert await database.read().all(among, them=[]) == []
    assert await database.read().all(among, them=[FULL[name]]) == [{"id": 1}]
    assert await database.read().all(among, them=[None, FULL[name]]) == [{"id": 1}]
    assert await database.read().all(among, them=[FULL[name]] * 1000) == [{"id": 1}]


async def test_a_thousand_different_ids(database: Database) -> None:
    """One statement, whatever the number; ids that nothing has are no error."""
    for number in range(5):
        await store(database, number, {})
    among = Statement(select(THINGS.c.id).where(AnyOf(THINGS.c.id, "ids")).order_by(THINGS.c.id))
    found = await database.read().all(among, ids=[3, *range(100, 1098), 1, 2**63 - 1])
    assert found == [{"id": 1}, {"id": 3}]


async def test_a_number_beyond_a_column_matches_nothing(database: Database) -> None:
    """A 32-bit column is compared with 64-bit numbers; beyond those is refused on both."""
    await store(database, 1, {"small": 1})
    among = Statement(select(THINGS.c.id).where(AnyOf(THINGS.c.small, "them")))
    assert await database.read().all(among, them=[2**40, 1]) == [{"id": 1}]
    with pytest.raises(DataRefused):
        await database.read().all(among, them=[2**63])


@pytest.mark.parametrize("text", ['"', "\\", '","', "']", '"]', "[1]", "é", "🎉", "\u2028", "\x7f"])
async def test_texts_in_arrays_are_texts(database: Database, text: str) -> None:
    """Nothing in a text ends it, or makes two of it."""
    await store(database, 1, {"name": text})
    await store(database, 2, {"name": "other"})
    among = Statement(select(THINGS.c.id).where(AnyOf(THINGS.c.name, "them")))
    assert await database.read().all(among, them=[text, "x"]) == [{"id": 1}]
    for hostile in ("\0", "\ud800"):
        with pytest.raises(DataRefused):
            await database.read().all(among, them=[hostile])


def test_any_of_finds_an_index() -> None:
    """SQLite looks each value up by the table's key, rather than to read every row."""
    compiled = select(THINGS.c.id).where(AnyOf(THINGS.c.id, "ids")).compile(dialect=SQLite())
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        plan = connection.execute(f"EXPLAIN QUERY PLAN {compiled}", ["[1]"]).fetchall()
    assert any("SEARCH things" in step[3] for step in plan), plan


async def test_any_of_is_an_expression_like_others(database: Database) -> None:
    """It can be negated and combined, and the ORM's cache tells its columns apart."""
    for number in range(4):
        await store(database, number, {"small": number * 10})
    mixed = Statement(
        select(THINGS.c.id)
        .where(or_(AnyOf(THINGS.c.id, "ids"), AnyOf(THINGS.c.small, "smalls")))
        .where(~AnyOf(THINGS.c.id, "without"))
        .order_by(THINGS.c.id)
    )
    found = await database.read().all(mixed, ids=[1, 2], smalls=[30, 20], without=[1])
    assert found == [{"id": 2}, {"id": 3}]
    async with database.orm() as session:
        for column, value in ((THINGS.c.id, 3), (THINGS.c.small, 20), (THINGS.c.id, 1)):
            query = select(column).where(AnyOf(column, "them"))
            assert (await session.scalars(query, {"them": [value]})).all() == [value]


@pytest.mark.parametrize("name", ["instant", "any"])
async def test_a_naive_time_is_refused(database: Database, name: str) -> None:
    """Drivers would take it for local time."""
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    if name == "instant":
        query = Statement(select(THINGS.c.id).where(THINGS.c.instant == bindparam("at")))
        with pytest.raises(ValueError, match="ambiguous"):
            await database.read().all(query, at=naive)
    else:
        query = Statement(select(THINGS.c.id).where(AnyOf(THINGS.c.instant, "at")))
        with pytest.raises(ValueError, match="ambiguous"):
            await database.read().all(query, at=[naive])


async def test_any_time_zone_is_the_same_instant(database: Database) -> None:
    """What goes in with an offset comes out in UTC, and compares as an instant."""
    east = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    stored = await store(database, 1, {"instant": east})
    assert stored["instant"] == NOON
    assert stored["instant"].utcoffset() == timedelta(0)
    later = Statement(select(THINGS.c.id).where(THINGS.c.instant > bindparam("at")))
    assert await database.read().all(later, at=east) == []
    assert await database.read().all(later, at=east - timedelta(microseconds=1)) == [{"id": 1}]


async def test_the_server_s_time_zone_changes_nothing(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """Neither what is stored nor what is read."""
    database = await open_database(f"{postgres_url}?options=-c%20timezone%3DAsia/Tokyo", METADATA)
    stored = await store(database, 1, {"instant": NOON})
    assert (stored["instant"], stored["instant"].utcoffset()) == (NOON, timedelta(0))


async def test_a_parameter_may_stand_in_several_places(database: Database) -> None:
    """It is given once; values that were written into the statement need not be given."""
    await store(database, 7, {"small": 7, "name": "seven"})
    query = Statement(
        select(THINGS.c.id, (THINGS.c.small + 1).label("next"), func.upper("abc").label("fixed"))
        .where(THINGS.c.id == bindparam("number"), THINGS.c.small == bindparam("number"))
        .where(THINGS.c.name.in_(["seven", "eight"]))
        .limit(5)
    )
    with pytest.raises(KeyError):
        await database.read().all(query)
    row = {"id": 7, "next": 8, "fixed": "ABC"}
    assert await database.read().all(query, number=7) == [row]
    assert await database.read().all(query, number=8) == []


async def test_update_and_delete_return_rows(database: Database) -> None:
    """With RETURNING they do, without they return none."""
    await store(database, 1, {"small": 1})
    raise_it = Statement(
        update(THINGS)
        .where(THINGS.c.id == bindparam("number"))
        .values(small=THINGS.c.small + bindparam("more"))
        .returning(THINGS.c.small)
    )
    async with database.write() as session:
        assert await session.all(raise_it, number=1, more=41) == [{"small": 42}]
        assert await session.one_or_none(raise_it, number=2, more=41) is None
        assert await session.all(CLEAR) == []
    assert await database.read().all(ALL) == []


async def test_mapped_classes_work(open_database: OpenDatabase, database_url: str) -> None:
    """Columns of declarative models, joins with themselves, server defaults."""
    database = await open_database(database_url, Base.metadata)
    add = Statement(
        insert(Animal)
        .values(id=bindparam("number"), name=bindparam("called"))
        .returning(Animal.id, Animal.legs)
    )
    found = Statement(
        select(Animal.name, func.count().over().label("all"))
        .where(AnyOf(Animal.id, "ids"))
        .order_by(Animal.name)
    )
    async with database.write() as session:
        assert await session.one(add, number=1, called="Ada") == {"id": 1, "legs": 4}
    assert await database.read().all(found, ids=[1]) == [{"name": "Ada", "all": 1}]
    assert await database.read().all(found, ids=[2]) == []


def test_a_statement_shows_itself() -> None:
    """For a debugger and a log."""
    assert "SELECT things.id" in repr(Statement(select(THINGS.c.id)))


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "guid": st.uuids(),
        "uuid": st.uuids(),
        "instant": st.datetimes(
            min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30),  # noqa: DTZ001
            timezones=st.timezones(),
        ),
        "day": st.dates(),
        "hour": st.times(),
        "yes": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "big": st.integers(-(2**63), 2**63 - 1),
        "real": st.floats(allow_nan=False, allow_infinity=False),
        "money": st.decimals(-(10**8), 10**8, places=4),
        "name": TEXTS,
        "body": TEXTS,
        "data": st.binary(max_size=100),
        "tree": st.recursive(
            st.integers(-(2**53), 2**53) | TEXTS | st.booleans(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
            max_leaves=5,
        ),
    },
)  # fmt: skip


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=VALUES)
@example(values={"instant": datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))})
async def test_any_value_comes_back(database: Database, values: dict[str, Any]) -> None:
    """Whatever a column can hold is what is read, on both databases."""
    async with database.write() as session:
        await session.all(CLEAR)
    expected = {"id": 1, **NOTHING, **values}
    if "instant" in values:  # what a change to summer time leaves out equals only itself (PEP 495)
        expected["instant"] = values["instant"].astimezone(UTC)
    assert await store(database, 1, values) == expected
    assert await database.read().all(ALL) == [expected]
