"""Whether a database stands at the newest migration, without Alembic."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text

from bedplate.database import Database, Migrations
from bedplate.database.revisions import is_current, newest_revision

OpenDatabase = Callable[..., Awaitable[Database]]

MIGRATION = """
revision{annotation} = {revision!r}
down_revision = {before!r}
def upgrade(): pass
def downgrade(): pass
"""


def write(folder: Path, revision: str, before: object, annotation: str = "") -> None:
    """Write a migration."""
    source = MIGRATION.format(revision=revision, before=before, annotation=annotation)
    (folder / f"2026-01-01_{revision}.py").write_text(source)


def test_the_newest_is_the_one_that_none_follows(tmp_path: Path) -> None:
    """Also after a branch that was joined, and with annotations."""
    write(tmp_path, "first", None, ": str")
    write(tmp_path, "left", "first")
    assert newest_revision(tmp_path) == "left"
    write(tmp_path, "right", "first")
    assert newest_revision(tmp_path) is None
    write(tmp_path, "joined", ("left", "right"))
    assert newest_revision(tmp_path) == "joined"


@pytest.mark.parametrize(
    "source",
    ["revision, down_revision = 'b', 'a'", "revision = 'b'", "revision = name()", "def", "\0"],
)
def test_a_file_of_another_form_is_left_to_alembic(tmp_path: Path, source: str) -> None:
    """Nothing is guessed of it."""
    write(tmp_path, "a", None)
    (tmp_path / "other.py").write_text(source)
    assert newest_revision(tmp_path) is None


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    """There is nothing to stand at."""
    assert newest_revision(tmp_path) is None


async def test_it_says_what_alembic_says(
    open_database: OpenDatabase, database_url: str, tmp_path: Path
) -> None:
    """Before the first migration, at the newest, behind it, and beside all of them."""
    database = await open_database(database_url)
    migrations = Migrations("larks", MetaData(), tmp_path)
    write(tmp_path, "first", None)
    assert not await is_current(database.engine, "larks", tmp_path)
    await migrations.upgrade(database.engine)
    assert await is_current(database.engine, "larks", tmp_path)
    assert not await is_current(database.engine, "wrens", tmp_path)
    write(tmp_path, "second", "first")
    assert not await is_current(database.engine, "larks", tmp_path)
    assert await migrations.missing(database.engine) == ["second"]
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE larks_alembic_version SET version_num = 'lost'"))
    assert not await is_current(database.engine, "larks", tmp_path)
