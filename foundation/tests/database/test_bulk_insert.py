"""Bulk inserts: every type arrives as one row's would, all rows or none, conflicts as declared."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import (
    GUID,
    Database,
    DataRefused,
    Row,
    Statement,
    UniqueViolation,
    UTCDateTime,
)
from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.json_containment import JSONDocument
from bedplate.database.types import MAX_INSTANT, MIN_INSTANT
from bedplate.schemas import MAX_INT64, MIN_INT64

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
PARTS = Table(
    "parts",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(50)),
    Column("token", GUID),
    Column("made_at", UTCDateTime),
    Column("digest", LargeBinary(32)),
    Column("details", JSONDocument),
    Column("weight", Float),
    Column("sold", Boolean),
    Column("place", String(10), server_default="shelf", nullable=False),
)
NAMES = [column.name for column in PARTS.c if column.name != "place"]
ADD = BulkInsert(PARTS, NAMES)
ADD_ONE = Statement(insert(PARTS).values({name: bindparam(f"new_{name}") for name in NAMES}))
ALL = Statement(select(PARTS).order_by(PARTS.c.id))


def part(number: int, **other: Any) -> Row:
    """Return a row with a value of each type."""
    return {
        "id": number,
        "name": f"bolt 'M{number}' \u2713",
        "token": UUID(int=number),
        "made_at": datetime(2026, 11, 29, 6, 0, number % 60, 123456, tzinfo=UTC),
        "digest": bytes([number % 256]) * 32,
        "details": {"size": [number, 1.5], "steel": True, "note": None},
        "weight": number / 3,
        "sold": number % 2 == 0,
        **other,
    }


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


async def test_many_rows_are_stored_as_each_would_be(database: Database) -> None:
    """Rows of one bulk insert read back as rows that were inserted by themselves."""
    nothing = {name: None for name in NAMES if name != "id"}
    rows = [
        *(part(number) for number in range(100)),
        part(100, **nothing),
        part(101, details=[{"a": 1}, [2, 3], "b"]),
        part(102, details="text"),
    ]
    async with database.write() as session:
        await session.insert(ADD, rows)
    together = await database.read().all(ALL)
    assert together == [{**row, "place": "shelf"} for row in rows]
    async with database.write() as session:
        await session.one_or_none(ADD_ONE, **ADD.parameters(part(1000)))
    assert (await database.read().all(ALL))[-1] == {**part(1000), "place": "shelf"}


async def test_no_rows_are_no_statement(database: Database) -> None:
    """An empty list inserts nothing and begins no transaction."""
    async with database.write() as session:
        await session.insert(ADD, [])
    assert await database.read().all(ALL) == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [({"id": 1}, UniqueViolation), ({"name": "a\0b"}, DataRefused), ({"id": 2**63}, DataRefused)],
)
async def test_one_refused_row_stores_none(
    database: Database, bad: Row, error: type[Exception]
) -> None:
    """When the database refuses a row, the error is that of one insert; none is stored."""

    async def add() -> None:
        async with database.write() as session:
            await session.insert(ADD, [part(1), part(2), part(3, **bad)])

    with pytest.raises(error):
        await add()
    assert await database.read().all(ALL) == []


async def test_many_rows_need_a_transaction(database: Database) -> None:
    """An autocommit session, which runs one statement, refuses a bulk insert."""
    with pytest.raises(RuntimeError, match="WriteSession"):
        await database.autocommit().insert(ADD, [part(1)])


class Base(DeclarativeBase):
    """The tables of mapped classes here, and the others."""


class Tally(Base):
    """How many of a thing a room has: a row for each room and thing."""

    __tablename__ = "tally"

    room: Mapped[UUID] = mapped_column(GUID, primary_key=True)
    thing: Mapped[str] = mapped_column(String(20), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)


THINGS = Table(
    "things",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text),
    Column("token", GUID),
    Column("made_at", UTCDateTime),
    Column("details", JSONDocument),
    Column("weight", Float),
    Column("price", Numeric(12, 2, asdecimal=False)),
    Column("sold", Boolean),
    Column("level", Integer, server_default="7", nullable=False),
)
SENT = [column.name for column in THINGS.c if column.name != "level"]
ROOM, OTHER_ROOM = UUID(int=1), UUID(int=2)
ADD_TALLIES = BulkInsert(Tally)
KEEP = BulkInsert(Tally, conflict=["room", "thing"], returning=["thing"])
COUNT = BulkInsert(
    Tally,
    conflict=["room", "thing"],
    add=["amount"],
    replace=["note"],
    returning=["thing", "amount", "note"],
)
TALLIES = Statement(select(*Tally.__table__.c).order_by(Tally.room, Tally.thing))


def tally(thing: str, amount: int = 1, note: str | None = None, room: UUID = ROOM) -> Row:
    """Return a row of `Tally`."""
    return {"room": room, "thing": thing, "amount": amount, "note": note}


def in_order(rows: list[Row]) -> list[Row]:
    """Return rows by thing, since RETURNING has no certain order."""
    return sorted(rows, key=lambda row: str(row["thing"]))


@pytest.fixture(name="tallies")
async def _tallies(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, Base.metadata)


async def store(database: Database, into: BulkInsert, *rows: Row) -> list[Row]:
    """Insert rows in a transaction of their own; return what the insert returns, in order."""
    async with database.write() as session:
        return in_order(await session.insert(into, rows))


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
instants = st.datetimes(
    MIN_INSTANT.replace(tzinfo=None) + timedelta(days=2),
    MAX_INSTANT.replace(tzinfo=None) - timedelta(days=2),
    timezones=st.just(UTC) | st.timezones(),
    allow_imaginary=False,
)
thing = st.fixed_dictionaries(
    {
        "id": st.integers(MIN_INT64, MAX_INT64),
        "name": st.none() | text,
        "token": st.none() | st.uuids(),
        "made_at": st.none() | instants,
        "details": st.none() | st.dictionaries(text, json_value, max_size=4),
        "weight": st.none() | st.floats(allow_nan=False),
        "price": st.none() | st.integers(-(10**9), 10**9).map(lambda cents: cents / 100),
        "sold": st.none() | st.booleans(),
    }
)


def id_of(row: Row) -> int:
    """Return a row's id."""
    number: int = row["id"]
    return number


def as_stored(row: Row) -> Row:
    """Return a row of `THINGS` as it comes back: its time in UTC, and what the database added."""
    made_at = row["made_at"]
    return {**row, "made_at": made_at and made_at.astimezone(UTC), "level": 7}


@given(rows=st.lists(thing, unique_by=id_of, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_values_come_back_as_they_were_given(tallies: Database, rows: list[Row]) -> None:
    """Values of each type, as far as it goes, come back the same from RETURNING and a SELECT."""
    into = BulkInsert(THINGS, SENT, conflict=["id"], returning=[*SENT, "level"])
    session = tallies.write()
    await session.__aenter__()
    try:
        returned = await session.insert(into, rows)
        stored = await session.all(Statement(select(*THINGS.c)))
    finally:
        undo = RuntimeError()
        await session.__aexit__(type(undo), undo, None)
    whole = sorted((as_stored(row) for row in rows), key=id_of)
    assert sorted(returned, key=id_of) == whole
    assert sorted(stored, key=id_of) == whole


async def test_a_mapped_class_has_all_of_its_columns(tallies: Database) -> None:
    """A class instead of a table, and no list of columns, is its table and all columns of that."""
    assert await store(tallies, ADD_TALLIES, tally("chair", 4, "old")) == []
    assert await tallies.read().all(TALLIES) == [tally("chair", 4, "old")]


async def test_returning_without_a_conflict(tallies: Database) -> None:
    """`returning` alone returns each row, with what the database computed for it."""
    into = BulkInsert(THINGS, ["id"], returning=["id", "level"])
    async with tallies.write() as session:
        rows = await session.insert(into, [{"id": 1}, {"id": 2}])
    assert sorted(rows, key=str) == [{"id": 1, "level": 7}, {"id": 2, "level": 7}]


async def test_rows_that_exist_are_skipped_and_not_returned(tallies: Database) -> None:
    """Of stored and new rows in a batch the new ones alone are stored and returned."""
    await store(tallies, ADD_TALLIES, tally("chair", 4))
    rows = [tally("chair", 9), tally("lamp"), tally("chair", 2, room=OTHER_ROOM)]
    assert await store(tallies, KEEP, *rows) == [{"thing": "chair"}, {"thing": "lamp"}]
    kept = [tally("chair", 4), tally("lamp"), tally("chair", 2, room=OTHER_ROOM)]
    assert await tallies.read().all(TALLIES) == kept
    assert await store(tallies, KEEP, *rows) == []


async def test_the_first_of_two_equal_rows_is_kept(tallies: Database) -> None:
    """Two rows of one batch that are the same are one: the first is stored, the second skipped."""
    rows = [tally("lamp", 1), tally("chair", 1), tally("lamp", 2), tally("chair", 3)]
    assert await store(tallies, KEEP, *rows) == [{"thing": "chair"}, {"thing": "lamp"}]
    assert await tallies.read().all(TALLIES) == [tally("chair", 1), tally("lamp", 1)]


async def test_add_and_replace(tallies: Database) -> None:
    """A row that exists gets the sum of what is added and the newer of what is replaced."""
    await store(tallies, COUNT, tally("chair", 4, "old"), tally("lamp", 1, "old"))
    counted = await store(tallies, COUNT, tally("chair", 3, "new"), tally("sofa", -1))
    expected = [tally("chair", 7, "new"), tally("lamp", 1, "old"), tally("sofa", -1)]
    assert await tallies.read().all(TALLIES) == expected
    returned = [{"thing": "chair", "amount": 7, "note": "new"},
                {"thing": "sofa", "amount": -1, "note": None}]  # fmt: skip
    assert counted == returned


async def test_replace_alone_leaves_the_rest(tallies: Database) -> None:
    """A column that is neither added nor replaced keeps what is stored."""
    await store(tallies, ADD_TALLIES, tally("chair", 4, "old"))
    await store(
        tallies, BulkInsert(Tally, conflict=["room", "thing"], replace=["note"]), tally("chair", 9)
    )
    assert await tallies.read().all(TALLIES) == [tally("chair", 4)]


async def test_two_rows_can_not_change_the_same_one(tallies: Database) -> None:
    """Both databases refuse two rows of a batch that would update one: the caller merges them."""
    with pytest.raises(ValueError, match="same room, thing: merge"):
        await store(tallies, COUNT, tally("chair"), tally("lamp"), tally("chair"))
    assert await tallies.read().all(TALLIES) == []


async def test_a_conflict_elsewhere_is_still_one(tallies: Database) -> None:
    """`conflict` is about its columns: what violates another constraint is refused as ever."""
    with pytest.raises(UniqueViolation):
        await store(tallies, ADD_TALLIES, tally("chair"), tally("chair"))
    into = BulkInsert(Tally, conflict=["room", "thing"])
    with pytest.raises(DataRefused):
        await store(tallies, into, tally("chair"), tally("lamp", note="a\0b"))
    with pytest.raises(DataRefused):
        await store(tallies, into, tally("chair"), tally("lamp", 2**63))
    with pytest.raises(DataRefused):
        await store(tallies, into, tally("chair"), tally("lamp", note="\ud800"))
    assert await tallies.read().all(TALLIES) == []


async def test_two_transactions_count_together(tallies: Database) -> None:
    """Transactions that count the same rows at once, in any order, lose nothing."""
    things = [f"thing {number}" for number in range(40)]

    async def count(turn: int) -> None:
        rows = [tally(thing) for thing in (things if turn % 2 else reversed(things))]
        async with tallies.write() as session:
            await session.insert(COUNT, rows)

    async with asyncio.TaskGroup() as group:
        for turn in range(20):
            group.create_task(count(turn))
    assert {row["amount"] for row in await tallies.read().all(TALLIES)} == {20}


@pytest.mark.parametrize("commits", [True, False])
async def test_a_row_waits_for_the_transaction_that_may_store_it(
    tallies: Database, *, commits: bool
) -> None:
    """A row that an open transaction inserts is skipped after its commit, and stored after its end
    without one.
    """
    first = tallies.write()
    await first.__aenter__()
    assert in_order(await first.insert(KEEP, [tally("chair", 1)])) == [{"thing": "chair"}]
    second = asyncio.create_task(store(tallies, KEEP, tally("chair", 2), tally("lamp", 2)))
    await asyncio.sleep(0.1)
    assert not second.done()
    undo = None if commits else RuntimeError()
    await first.__aexit__(type(undo) if undo else None, undo, None)
    stored = [{"thing": "lamp"}] if commits else [{"thing": "chair"}, {"thing": "lamp"}]
    assert await second == stored
    amount = 1 if commits else 2
    assert await tallies.read().all(TALLIES) == [tally("chair", amount), tally("lamp", 2)]


@pytest.mark.parametrize("more", [{"conflict": ["id"]}, {"returning": ["id"]}])
def test_bytes_are_refused_when_declared(more: dict[str, list[str]]) -> None:
    """Bytes can't be JSON: an insert that needs it says so when it is declared, on any database."""
    with pytest.raises(TypeError, match=r"parts: bytes \(digest\)"):
        BulkInsert(PARTS, NAMES, **more)
    BulkInsert(PARTS, ["id", "name"], **more)  # no bytes in it


@pytest.mark.parametrize(
    "wrong",
    [
        {"add": ["amount"]},
        {"conflict": ["room", "thing"], "add": ["amounts"]},
        {"conflict": ["room", "thing"], "add": ["amount"], "replace": ["amount"]},
        {"conflict": ["room", "thing"], "replace": ["thing"]},
    ],
)
def test_columns_that_contradict_each_other(wrong: dict[str, list[str]]) -> None:
    """A change without a conflict, of no column, or of one column twice, is refused at once."""
    with pytest.raises(ValueError, match="column"):
        BulkInsert(Tally, **wrong)


async def test_decimals_are_exact_enough(tallies: Database) -> None:
    """A Decimal goes where a float does: both databases store the number."""
    into = BulkInsert(THINGS, ["id", "price"], conflict=["id"], returning=["price"])
    async with tallies.write() as session:
        rows = await session.insert(into, [{"id": 1, "price": Decimal("12.25")}])
    assert rows == [{"price": 12.25}]
