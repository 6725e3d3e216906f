"""Migrations on both databases: up, down, at once, and only on tables of one's own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, ClassVar

import pytest
from alembic.util.exc import CommandError
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from bedplate.conditional.idempotency import idempotency_table
from bedplate.database import (
    GUID,
    NAMING_CONVENTION,
    Database,
    Migrations,
    Statement,
    UTCDateTime,
)
from bedplate.testing.clock import SettableClock

OpenDatabase = Callable[..., Awaitable[Database]]

CREATE = "op.create_table('visits', sa.Column('id', sa.Integer(), primary_key=True))"
ADD_NAME = """
with op.batch_alter_table('visits') as batch:
    batch.add_column(sa.Column('name', sa.String(20), nullable=False, server_default='x'))
"""
DROP_NAME = """
with op.batch_alter_table('visits') as batch:
    batch.drop_column('name')
"""


def visits(*columns: Column[Any]) -> MetaData:
    """Return the metadata of one table."""
    metadata = MetaData()
    Table("visits", metadata, Column("id", Integer, primary_key=True), *columns)
    return metadata


def named() -> MetaData:
    """Return the metadata that both migrations lead to."""
    return visits(Column("name", String(20), nullable=False, server_default="x"))


def write(folder: Path, revision: str, before: str | None, up: str, down: str = "pass") -> None:
    """Write a migration."""
    folder.mkdir(parents=True, exist_ok=True)
    bodies = [indent(dedent(body).strip(), "    ") for body in (up, down)]
    (folder / f"2026-01-01_{revision}.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = {revision!r}\ndown_revision = {before!r}\n"
        "branch_labels = depends_on = None\n"
        f"def upgrade():\n{bodies[0]}\ndef downgrade():\n{bodies[1]}\n"
    )


@pytest.fixture(name="migrations")
def _migrations(tmp_path: Path) -> Migrations:
    """Two migrations, in a folder whose name needs care."""
    folder = tmp_path / "100% mine"
    write(folder, "first", None, CREATE, "op.drop_table('visits')")
    write(folder, "second", "first", ADD_NAME, DROP_NAME)
    return Migrations("larks", named(), folder)


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url)


async def tables(database: Database) -> set[str]:
    """Return the names of all tables there are."""
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def execute(database: Database, *statements: str) -> None:
    """Run statements beside the migrations."""
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(sql(statement))


async def values(database: Database, query: str) -> list[Any]:
    """Return the values of a query's only column."""
    async with database.engine.connect() as connection:
        return list((await connection.scalars(sql(query))).all())


async def test_up_and_down(database: Database, migrations: Migrations) -> None:
    """Each step is known, the newest agrees with the models, and down undoes it."""
    engine = database.engine
    assert await migrations.current(engine) is None
    assert await migrations.missing(engine) == ["first", "second"]
    await migrations.upgrade(engine, "first")
    assert (await migrations.current(engine), await migrations.missing(engine)) == (
        "first",
        ["second"],
    )
    assert await migrations.differences(engine) != []
    await migrations.upgrade(engine)
    await migrations.upgrade(engine)
    assert (await migrations.current(engine), await migrations.missing(engine)) == ("second", [])
    assert await migrations.differences(engine) == []
    await migrations.downgrade(engine, "-1")
    assert await migrations.current(engine) == "first"
    await migrations.downgrade(engine, "base")
    assert await tables(database) == {"larks_alembic_version"}


async def test_what_others_own_is_neither_seen_nor_touched(
    database: Database, migrations: Migrations
) -> None:
    """An auth server's tables, and another backend with a version table of its own."""
    await execute(
        database,
        "CREATE TABLE users (id int, secret int UNIQUE)",
        "INSERT INTO users VALUES (1, 1)",
        "CREATE TABLE larks2_alembic_version (version_num varchar(32))",
        "INSERT INTO larks2_alembic_version VALUES ('theirs')",
    )
    engine = database.engine
    await migrations.upgrade(engine)
    assert await migrations.differences(engine) == []
    written = await migrations.revision(engine, "nothing")
    assert "users" not in written.read_text()
    assert "larks2" not in written.read_text()
    await migrations.downgrade(engine, "base")
    assert await values(database, "SELECT id FROM users") == [1]
    assert await values(database, "SELECT version_num FROM larks2_alembic_version") == ["theirs"]


async def test_a_table_of_the_same_name_in_another_schema_is_somebody_else_s(
    open_database: OpenDatabase, postgres_url: str, migrations: Migrations
) -> None:
    """Also when it is on the search path behind ours."""
    database = await open_database(f"{postgres_url}?options=-c%20search_path%3Dpublic,auth")
    await execute(database, "CREATE SCHEMA auth", "CREATE TABLE auth.visits (other int)")
    await migrations.upgrade(database.engine)
    assert await migrations.differences(database.engine) == []
    await migrations.downgrade(database.engine, "base")
    assert await values(database, "SELECT count(*) FROM auth.visits") == [0]


@pytest.mark.parametrize("files", [False, True], ids=["folder", "nothing"])
async def test_a_backend_without_migrations_yet(
    database: Database, tmp_path: Path, files: bool
) -> None:
    """An empty folder is up to date, and its first migration can be written."""
    folder = tmp_path / "versions"
    if files:
        folder.mkdir()
    migrations = Migrations("larks", visits(), folder)
    engine = database.engine
    assert await migrations.missing(engine) == []
    await migrations.upgrade(engine)
    await migrations.revision(engine, "Create visits")
    await migrations.upgrade(engine)
    assert "visits" in await tables(database)


ALL_KINDS = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "ix": "%(column_0_N_label)s_idx"}
)
idempotency_table(ALL_KINDS)
Table("parents", ALL_KINDS, Column("id", GUID, primary_key=True))
CHILDREN = Table(
    "children",
    ALL_KINDS,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("parent", GUID, ForeignKey("parents.id", ondelete="CASCADE"), nullable=False),
    Column("born_at", UTCDateTime, nullable=False),
    Column("name", String(100), nullable=False),
    Column("alive", Boolean, server_default=sql("true"), nullable=False),
    Column("money", Numeric(12, 2)),
    Column("data", LargeBinary),
    Column("tree", JSON),
    UniqueConstraint("parent", "name", name="children_parent_name_key"),
)
Index("children_born_at_idx", CHILDREN.c.born_at.desc())


async def test_a_written_migration_runs_and_agrees_with_the_models(
    database: Database, tmp_path: Path, clock: SettableClock
) -> None:
    """With our own column types, named after today in UTC, up and down and up again."""
    clock.set(datetime(2027, 3, 4, 23, 30, tzinfo=UTC))
    migrations = Migrations("larks", ALL_KINDS, tmp_path / "versions")
    engine = database.engine
    path = await migrations.revision(engine, "Create everything, at last!")
    assert path == tmp_path / "versions" / "2027-03-04_create_everything_at_last.py"
    assert path.read_text().startswith('"""Create everything, at last!."""')
    await migrations.upgrade(engine)
    assert await migrations.differences(engine) == []
    await migrations.downgrade(engine, "base")
    assert await tables(database) == {"larks_alembic_version"}
    await migrations.upgrade(engine)
    second = await migrations.revision(engine, "Nothing")
    assert second.read_text().count("    pass") == 2


async def test_a_migration_of_the_same_name_is_not_overwritten(
    database: Database, migrations: Migrations, clock: SettableClock
) -> None:
    """Two of one day need two names; a message without a word is none."""
    clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    await migrations.upgrade(database.engine)
    before = (migrations.folder / "2026-01-01_first.py").read_text()
    with pytest.raises(FileExistsError, match="2026-01-01_first"):
        await migrations.revision(database.engine, "First")
    with pytest.raises(ValueError, match="a word"):
        await migrations.revision(database.engine, "../ !")
    assert (migrations.folder / "2026-01-01_first.py").read_text() == before


async def test_the_next_migration_needs_the_ones_before(
    database: Database, migrations: Migrations
) -> None:
    """What differs can only be known from a database that is up to date."""
    with pytest.raises(CommandError, match="not up to date"):
        await migrations.revision(database.engine, "Third")


async def test_a_change_is_found_and_written(database: Database, migrations: Migrations) -> None:
    """A new column: `differences` says so, the written migration makes it, data stays."""
    engine = database.engine
    await migrations.upgrade(engine)
    await execute(database, "INSERT INTO visits VALUES (1, 'Ada')")
    changed = Migrations(
        "larks",
        visits(
            Column("name", String(20), nullable=False, server_default="x"), Column("age", Integer)
        ),
        migrations.folder,
    )
    [difference] = await changed.differences(engine)
    assert (difference[0], difference[3].name) == ("add_column", "age")
    await changed.revision(engine, "Add age")
    await changed.upgrade(engine)
    assert await changed.differences(engine) == []
    assert await values(database, "SELECT name FROM visits") == ["Ada"]
    await changed.downgrade(engine, "-1")
    assert await values(database, "SELECT name FROM visits") == ["Ada"]


async def test_two_newest_migrations_are_named(database: Database, migrations: Migrations) -> None:
    """After a merge of two branches the sentence says what to change, whatever was asked."""
    await migrations.upgrade(database.engine)
    write(migrations.folder, "third", "second", "pass")
    write(migrations.folder, "other", "second", "pass")
    sentence = "larks has 2 newest migrations, other and third: set the down_revision of one"
    for method in (migrations.missing, migrations.upgrade):
        with pytest.raises(CommandError, match=sentence):
            await method(database.engine)


async def test_no_time_limit_is_changed_for_others(
    open_database: OpenDatabase, postgres_url: str, tmp_path: Path
) -> None:
    """Behind a pooler the connection is another's afterwards: only the transaction has none."""
    database = await open_database(f"{postgres_url}?options=-c%20statement_timeout%3D7s")
    statements: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def record(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    body = "op.execute(\"CREATE TABLE seen AS SELECT current_setting('statement_timeout') AS s\")"
    write(tmp_path / "versions", "first", None, body)
    await Migrations("larks", MetaData(), tmp_path / "versions").upgrade(database.engine)
    assert await values(database, "SELECT s FROM seen") == ["0"]
    changes = [statement for statement in statements if "SET" in statement.upper().split()]
    assert changes == ["SET LOCAL statement_timeout = 0"]


async def test_a_failed_migration_changes_nothing(
    database: Database, migrations: Migrations
) -> None:
    """Those before it in the same run are undone too, and the next try is not in its way."""
    write(migrations.folder, "third", "second", f"{CREATE.replace('visits', 'more')}\n1 / 0")
    with pytest.raises(ZeroDivisionError):
        await migrations.upgrade(database.engine)
    assert "visits" not in await tables(database)
    assert "more" not in await tables(database)
    write(migrations.folder, "third", "second", "pass")
    await migrations.upgrade(database.engine)
    assert await migrations.current(database.engine) == "third"


async def test_a_database_ahead_of_the_code_says_so(
    database: Database, migrations: Migrations
) -> None:
    """As after a roll-back of the code alone: an error that names the revision."""
    await migrations.upgrade(database.engine)
    (migrations.folder / "2026-01-01_second.py").unlink()
    with pytest.raises(CommandError, match="second"):
        await migrations.missing(database.engine)


async def test_tasks_that_start_at_once_take_turns(
    open_database: OpenDatabase, database_url: str, migrations: Migrations
) -> None:
    """Each has a pool of its own, as processes have; on SQLite the file is new."""
    databases = [await open_database(database_url) for _ in range(8)]
    await asyncio.gather(*(migrations.upgrade(database.engine) for database in databases))
    assert await migrations.current(databases[0].engine) == "second"


UPGRADE = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from sqlalchemy import MetaData
from bedplate.database import Database, Migrations
from bedplate.settings import DatabaseSettings

async def main(url, folder):
    settings = DatabaseSettings(database_url=SecretStr(url))
    async with Database.open(settings) as database:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await Migrations("larks", MetaData(), Path(folder)).upgrade(database.engine)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_that_start_at_once_take_turns(
    open_database: OpenDatabase, database_url: str, migrations: Migrations
) -> None:
    """Four of them, let go at the same moment: all succeed."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", UPGRADE, database_url, str(migrations.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    done = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [
        (process.returncode, err) for process, (_, err) in zip(processes, done, strict=True)
    ] == [(0, b"")] * 4
    database = await open_database(database_url)
    assert await migrations.current(database.engine) == "second"


async def test_a_migration_may_take_longer_than_a_statement_of_a_request(
    open_database: OpenDatabase, postgres_url: str, tmp_path: Path
) -> None:
    """Neither our bound nor the server's ends it, nor the wait for another that migrates."""
    write(tmp_path, "slow", None, "op.execute('SELECT pg_sleep(1)')")
    migrations = Migrations("larks", MetaData(), tmp_path)
    url = f"{postgres_url}?options=-c%20statement_timeout%3D300"
    databases = [
        await open_database(url, database_command_timeout_seconds=0.3, database_pool_size=1)
        for _ in range(2)
    ]
    await asyncio.gather(*(migrations.upgrade(database.engine) for database in databases))
    bound = Statement(sql("SELECT current_setting('statement_timeout') AS b").columns(b=String))
    assert await databases[0].read().all(bound) == [{"b": "300ms"}]


async def test_a_changed_table_keeps_what_refers_to_it(
    open_database: OpenDatabase, sqlite_url: str, tmp_path: Path
) -> None:
    """SQLite's tables are changed by making another one; dropping the old must not cascade."""
    database = await open_database(sqlite_url)
    await execute(
        database,
        "CREATE TABLE visits (id INTEGER PRIMARY KEY)",
        "CREATE TABLE notes (visit int REFERENCES visits ON DELETE CASCADE)",
        "INSERT INTO visits VALUES (1)",
        "INSERT INTO notes VALUES (1)",
    )
    rebuild = """
    with op.batch_alter_table('visits', recreate='always') as batch:
        batch.add_column(sa.Column('name', sa.String(20)))
    """
    write(tmp_path, "rebuild", None, rebuild)
    await Migrations("larks", visits(), tmp_path).upgrade(database.engine)
    assert await values(database, "SELECT visit FROM notes") == [1]
    for pragma, value in (("foreign_keys", 1), ("busy_timeout", 10_000)):
        assert await values(database, f"PRAGMA {pragma}") == [value]


async def test_a_migration_may_not_break_references(
    open_database: OpenDatabase, sqlite_url: str, tmp_path: Path
) -> None:
    """They are not enforced while it runs, but checked before it is committed."""
    database = await open_database(sqlite_url)
    await execute(
        database,
        "CREATE TABLE visits (id INTEGER PRIMARY KEY)",
        "CREATE TABLE notes (visit int REFERENCES visits)",
        "INSERT INTO visits VALUES (1)",
        "INSERT INTO notes VALUES (1)",
    )
    write(tmp_path, "broken", None, "op.execute('DELETE FROM visits')")
    with pytest.raises(RuntimeError, match="notes has rows that refer to nothing"):
        await Migrations("larks", visits(), tmp_path).upgrade(database.engine)
    assert await values(database, "SELECT id FROM visits") == [1]
    assert await values(database, "PRAGMA foreign_keys") == [1]


class Hero(SQLModel, table=True):
    """A model of SQLModel, whose metadata is SQLAlchemy's."""

    __tablename__: ClassVar[str] = "heroes"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    age: int | None = None


async def test_sqlmodel_s_tables_work(database: Database, tmp_path: Path) -> None:
    """Their migrations are written and run, and statements on them too."""
    metadata = MetaData()
    heroes: Table = SQLModel.metadata.tables["heroes"]
    heroes.to_metadata(metadata)
    migrations = Migrations("heroes", metadata, tmp_path / "versions")
    await migrations.revision(database.engine, "Create heroes")
    await migrations.upgrade(database.engine)
    assert await migrations.differences(database.engine) == []
    add = Statement(
        insert(Hero).values(name=bindparam("called"), age=bindparam("years")).returning(heroes.c.id)
    )
    find = Statement(
        select(heroes.c.name, heroes.c.age).where(heroes.c.name == bindparam("called"))
    )
    async with database.write() as session:
        assert await session.one(add, called="Ada", years=36) == {"id": 1}
    assert await database.read().all(find, called="Ada") == [{"name": "Ada", "age": 36}]


def labelled(naming: dict[str, str] | None, *, later: bool) -> MetaData:
    """Return the metadata of two tables; later one refers to the other, and to another type."""
    metadata = MetaData(naming_convention=naming)
    Table("tags", metadata, Column("id", Integer, primary_key=True))
    more: list[Any] = (
        [
            Column("tag_id", Integer, ForeignKey("tags.id")),
            Column("code", String(10), unique=True),
        ]
        if later
        else []
    )
    width = 200 if later else 20
    Table(
        "labels",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("text", String(width), nullable=False, server_default=""),
        *more,
    )
    return metadata


@pytest.mark.parametrize("written_on", ["sqlite", "postgresql"])
async def test_a_migration_runs_on_the_database_that_it_was_not_written_on(
    open_database: OpenDatabase,
    sqlite_url: str,
    postgres_url: str,
    tmp_path: Path,
    written_on: str,
) -> None:
    """A foreign key, a unique column and a wider one: written on one database, run on both."""
    sqlite, postgres = await open_database(sqlite_url), await open_database(postgres_url)
    author = (sqlite if written_on == "sqlite" else postgres).engine
    for metadata, message in [
        (labelled(NAMING_CONVENTION, later=False), "Create"),
        (labelled(NAMING_CONVENTION, later=True), "Refer"),
    ]:
        migrations = Migrations("larks", metadata, tmp_path / "versions")
        await migrations.revision(author, message)
        for database in (sqlite, postgres):
            await migrations.upgrade(database.engine)
            assert await migrations.differences(database.engine) == []
    for database in (sqlite, postgres):
        await migrations.downgrade(database.engine, "-1")
        await migrations.upgrade(database.engine)
        assert await migrations.differences(database.engine) == []
        await migrations.downgrade(database.engine, "base")


async def test_a_constraint_without_a_name_is_refused(database: Database, tmp_path: Path) -> None:
    """No file is written that couldn't be taken back, and the error says how names come."""
    first = Migrations("larks", labelled(None, later=False), tmp_path / "versions")
    await first.revision(database.engine, "Create")
    await first.upgrade(database.engine)
    second = Migrations("larks", labelled(None, later=True), tmp_path / "versions")
    with pytest.raises(CommandError, match=r"labels has no name.*NAMING_CONVENTION"):
        await second.revision(database.engine, "Refer")
    assert len(list((tmp_path / "versions").glob("*.py"))) == 1
