"""What drivers raise, in the words of problems, alike on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    insert,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError

from bedplate.database import (
    CheckViolation,
    Database,
    DatabaseUnavailable,
    DataRefused,
    ForeignKeyViolation,
    LockTimeout,
    Statement,
    UniqueViolation,
)
from bedplate.database.exceptions import Violation, translate
from bedplate.problems import ProblemError

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
OWNERS = Table("owners", METADATA, Column("id", BigInteger, primary_key=True))
PETS = Table(
    "pets",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("owner", BigInteger, ForeignKey("owners.id", name="pets_owner_fkey")),
    Column("name", String(20), nullable=False),
    Column("legs", Integer),
    UniqueConstraint("owner", "name", name="pets_owner_name_key"),
    CheckConstraint("legs >= 0", name="pets_legs_check"),
)
ADD_OWNER = Statement(insert(OWNERS).values(id=bindparam("number")))
ADD = Statement(
    insert(PETS).values(
        id=bindparam("number"),
        owner=bindparam("of"),
        name=bindparam("called"),
        legs=bindparam("has_legs"),
    )
)
FIND = Statement(select(PETS.c.id).where(PETS.c.name == bindparam("called")))
GOOD: dict[str, Any] = {"number": 2, "of": 1, "called": "Toto", "has_legs": 4}


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        await session.all(ADD_OWNER, number=1)
        await session.all(ADD, **GOOD | {"number": 1})
    return database


@pytest.mark.parametrize(
    ("values", "kind", "names"),
    [
        ({}, UniqueViolation, ("pets_owner_name_key", "pets.owner, pets.name")),
        ({"number": 1, "called": "Rex"}, UniqueViolation, ("pets_pkey", "pets.id")),
        ({"of": 2}, ForeignKeyViolation, ("pets_owner_fkey", "")),
        ({"called": "Rex", "has_legs": -1}, CheckViolation, ("pets_legs_check", "pets_legs_check")),
        ({"called": None}, CheckViolation, ("name", "pets.name")),
    ],
)
async def test_violations_name_the_constraint(
    database: Database, values: dict[str, Any], kind: type[Violation], names: tuple[str, str]
) -> None:
    """On PostgreSQL by its name (or column), on SQLite by what SQLite says: columns, or nothing."""
    with pytest.raises(kind) as violation:
        async with database.write() as session:
            await session.all(ADD, **GOOD | values)
    assert getattr(violation.value, "constraint", None) == names[database.dialect.name == "sqlite"]
    assert violation.value.status == {
        UniqueViolation: 409, ForeignKeyViolation: 404, CheckViolation: 422
    }[kind]  # fmt: skip
    assert violation.value.detail is None


@pytest.mark.parametrize(
    "values",
    [{"number": 2**63}, {"number": -(2**63) - 1}, {"called": "a\0b"}, {"called": "\ud800"}],
    ids=["large", "small", "nul", "surrogate"],
)
async def test_what_cannot_be_stored_is_refused(database: Database, values: dict[str, Any]) -> None:
    """It is a 422 that doesn't repeat the value, in a write and in a read."""
    called = values.get("called", "Rex")
    with pytest.raises(DataRefused) as refusal:
        async with database.write() as session:
            await session.all(ADD, **GOOD | {"called": called} | values)
    assert refusal.value.status == 422
    assert refusal.value.detail == "A value can't be stored."
    if "called" in values:
        with pytest.raises(DataRefused):
            await database.read().all(FIND, called=called)


async def test_a_text_that_is_too_long_is_refused(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """PostgreSQL bounds texts; SQLite doesn't, so schemas have to."""
    database = await open_database(postgres_url, METADATA)
    with pytest.raises(DataRefused):
        async with database.write() as session:
            await session.all(ADD, **GOOD | {"called": "x" * 21})


async def test_a_number_too_large_for_its_column_is_refused(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """An integer of 33 bits for a column of 32."""
    database = await open_database(postgres_url, METADATA)
    with pytest.raises(DataRefused):
        async with database.write() as session:
            await session.all(ADD, **GOOD | {"has_legs": 2**32})


async def test_errors_of_the_orm_are_translated_too(database: Database) -> None:
    """`translate` looks through SQLAlchemy's wrapping, and the wrapping of its own driver."""
    async with database.orm() as session:
        with pytest.raises(DBAPIError) as error:
            await session.execute(insert(PETS).values(id=1, owner=1, name="Rex"))
    assert isinstance(translate(error.value), UniqueViolation)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("08006", DatabaseUnavailable),  # connection failure
        ("53300", DatabaseUnavailable),  # too many connections
        ("53100", DatabaseUnavailable),  # disk full
        ("57P01", DatabaseUnavailable),  # administrator's command
        ("57P03", DatabaseUnavailable),  # starting up
        ("57014", DatabaseUnavailable),  # cancelled, by a statement timeout too
        ("40001", DatabaseUnavailable),  # serialization failure
        ("25006", DatabaseUnavailable),  # a standby: read only
        ("25P03", DatabaseUnavailable),  # idle in a transaction for too long
        ("55P03", LockTimeout),
        ("22003", DataRefused),
        ("42P01", None),  # a table that doesn't exist is our mistake
        ("25P02", None),  # so is a statement after one that failed
        ("0A000", None),
    ],
)
def test_states_of_postgresql(state: str, expected: type[ProblemError] | None) -> None:
    """What passes by itself is a 503, what the client sent a 422, our own mistakes stay ours."""
    error = asyncpg.PostgresError.new({"C": state, "M": "message", "S": "ERROR"})
    problem = translate(error)
    assert (None if problem is None else type(problem)) is expected


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), TimeoutError(), EOFError(), asyncpg.InterfaceError("closed")]
)
def test_a_lost_connection_is_unavailable(error: Exception) -> None:
    """Whatever class it comes in."""
    assert isinstance(translate(error), DatabaseUnavailable)


@pytest.mark.parametrize("error", [ValueError(), KeyError(), ZeroDivisionError(), RuntimeError()])
def test_our_own_mistakes_stay_as_they_are(error: Exception) -> None:
    """They are no problem of the database."""
    assert translate(error) is None


async def test_a_read_only_sqlite_file_is_unavailable(
    open_database: OpenDatabase, sqlite_url: str
) -> None:
    """As a full or broken disk is."""
    database = await open_database(sqlite_url, METADATA)
    async with database.borrow() as connection:
        await connection.execute_fetchall("PRAGMA query_only = ON")
        with pytest.raises(DatabaseUnavailable):
            await database.run(connection, ADD_OWNER, {"number": 1})


@pytest.mark.parametrize("sqlstate", ["42P05", "26000"])
async def test_a_pooler_that_nobody_declared_is_named_in_the_log(
    open_database: OpenDatabase,
    postgres_url: str,
    captured_logs: list[dict[str, Any]],
    sqlstate: str,
) -> None:
    """Prepared statements that are another's: a 503, and the setting that mends it."""
    database = await open_database(postgres_url)
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"
    async with database.borrow() as connection:
        with pytest.raises(DatabaseUnavailable):
            await database.command(connection, raising)
    [line] = [line for line in captured_logs if line["event"] == "database_unavailable"]
    assert "DATABASE_POOLER" in line["hint"]


async def test_the_log_says_why(
    open_database: OpenDatabase, postgres_url: str, captured_logs: list[dict[str, Any]]
) -> None:
    """The client sees a 503, the operator the class of the error and its SQLSTATE."""
    database = await open_database(postgres_url.replace("postgres@", "nobody@"))
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    lines = [line for line in captured_logs if line["event"] == "database_unavailable"]
    assert [line["sqlstate"] for line in lines] == ["28000"]


async def test_sqlite_s_foreign_keys_are_enforced(
    open_database: OpenDatabase, sqlite_url: str
) -> None:
    """On every connection of the pool, not only on the first."""
    database = await open_database(sqlite_url, METADATA)
    async with database.borrow(), database.borrow() as second:
        await second.execute_fetchall("BEGIN IMMEDIATE")
        with pytest.raises(ForeignKeyViolation):
            await database.run(second, ADD, GOOD)
        await second.execute_fetchall("ROLLBACK")
    assert await database.read().all(Statement(sql("SELECT id FROM pets").columns(PETS.c.id))) == []
