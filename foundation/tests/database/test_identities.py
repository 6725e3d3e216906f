"""Identities that are never given twice, on both databases."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import Column, Identity, Index, Integer, MetaData, String, Table
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import NAMING_CONVENTION, BigInt, Database, Migrations, identity
from bedplate.database.identities import reusable_identities

OpenDatabase = Callable[..., Awaitable[Database]]


class Base(DeclarativeBase):
    """Two tables that the database numbers, of which one inherits its identity."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Numbered:
    """A mixin, whose column is copied."""

    id: Mapped[int] = identity()


class Note(Base):
    """A table with an index that has an order."""

    __tablename__ = "notes"

    id: Mapped[int] = identity()
    text: Mapped[str] = mapped_column(String(20))


class Visit(Numbered, Base):
    """A table with the mixin's identity."""

    __tablename__ = "visits"


Index("notes_text_id_idx", Note.text, Note.id.desc())

BEFORE = """
op.create_table(
    "notes",
    sa.Column("id", BigInt, sa.Identity(), nullable=False),
    sa.Column("text", sa.String(20), nullable=False),
    sa.PrimaryKeyConstraint("id", name="notes_pkey"),
)
op.create_index("notes_text_id_idx", "notes", ["text", sa.text("id DESC")])
op.create_table(
    "visits",
    sa.Column("id", BigInt, sa.Identity(), nullable=False),
    sa.PrimaryKeyConstraint("id", name="visits_pkey"),
    sqlite_autoincrement=True,
)
"""
AFTER = 'forbid_reuse(op, "notes")'


@pytest.fixture
def migrations(tmp_path: Path) -> Migrations:
    """A migration that forgot it, and one that makes up for it."""
    for revision, before, body in (("first", None, BEFORE), ("second", "first", AFTER)):
        lines = "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())
        (tmp_path / f"2026-01-01_{revision}.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            "from bedplate.database import BigInt, forbid_reuse\n"
            f"revision = {revision!r}\ndown_revision = {before!r}\n"
            "branch_labels = depends_on = None\n"
            f"def upgrade():\n{lines}\ndef downgrade():\n    pass\n"
        )
    return Migrations("larks", Base.metadata, tmp_path)


async def insert_twice(database: Database, table: str, columns: str) -> list[int]:
    """Return the identities of a row, and of the next one after the first is deleted."""
    identities = []
    async with database.engine.begin() as connection:
        for _ in range(2):
            row = await connection.execute(sql(f"INSERT INTO {table} {columns} RETURNING id"))
            identities.append(row.scalar_one())
            await connection.execute(sql(f"DELETE FROM {table} WHERE id = {identities[-1]}"))
    return identities


@pytest.mark.parametrize(
    ("table", "columns"), [("notes", "(text) VALUES ('x')"), ("visits", "DEFAULT VALUES")]
)
async def test_an_identity_is_never_given_twice(
    open_database: OpenDatabase, database_url: str, table: str, columns: str
) -> None:
    """Not even when the row that had it is deleted, and not when a mixin declares it."""
    database = await open_database(database_url, Base.metadata)
    assert await insert_twice(database, table, columns) == [1, 2]


async def test_a_table_that_was_made_without_it_is_rebuilt(
    open_database: OpenDatabase, database_url: str, migrations: Migrations
) -> None:
    """Rows and indexes stay, with their order, and numbers go on above those that there are."""
    database = await open_database(database_url)
    sqlite = database.dialect.name == "sqlite"
    await migrations.upgrade(database.engine, "first")
    missing = [("add_autoincrement", "notes")] if sqlite else []
    assert await migrations.differences(database.engine) == missing
    async with database.engine.begin() as connection:
        await connection.execute(sql("INSERT INTO notes (text) VALUES ('kept'), ('last')"))
    await migrations.upgrade(database.engine)
    assert await migrations.differences(database.engine) == []
    async with database.engine.begin() as connection:
        await connection.execute(sql("DELETE FROM notes WHERE id = 2"))
        assert (await connection.scalars(sql("SELECT text FROM notes"))).all() == ["kept"]
    assert await insert_twice(database, "notes", "(text) VALUES ('x')") == [3, 4]
    definition = (
        "SELECT sql FROM sqlite_master WHERE name = 'notes_text_id_idx'"
        if sqlite
        else "SELECT indexdef FROM pg_indexes WHERE indexname = 'notes_text_id_idx'"
    )
    async with database.engine.connect() as connection:
        [index] = await connection.scalars(sql(definition))
    assert "id DESC" in index


async def test_a_table_with_a_check_is_not_rebuilt(
    open_database: OpenDatabase, sqlite_url: str, migrations: Migrations
) -> None:
    """Its constraint would be lost without a word."""
    database = await open_database(sqlite_url)
    await migrations.upgrade(database.engine, "first")
    async with database.engine.begin() as connection:
        await connection.execute(sql("ALTER TABLE notes ADD COLUMN n int CHECK (n > 0)"))
    with pytest.raises(ValueError, match="notes has a CHECK constraint"):
        await migrations.upgrade(database.engine)


def test_tables_whose_identities_may_return_are_listed() -> None:
    """A test of a backend finds those that were declared without the helper."""
    assert reusable_identities(Base.metadata) == []
    metadata = MetaData()
    Table("bare", metadata, Column("id", BigInt, Identity(), primary_key=True))
    Table("implied", metadata, Column("id", Integer, primary_key=True))
    Table("chosen", metadata, Column("id", Integer, primary_key=True, autoincrement=False))
    Table("named", metadata, Column("id", String(20), primary_key=True))
    assert reusable_identities(metadata) == ["bare", "implied"]
