"""Filters on declared columns, and on no others."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, bindparam, insert, select

from bedplate.database import Database, Statement
from bedplate.database.filtering import Filters

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
TASKS = Table(
    "tasks",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("owner", String(20), nullable=False),
    Column("done", Boolean, nullable=False),
)
FILTERS = Filters(owner=TASKS.c.owner, done=TASKS.c.done)
ADD = Statement(
    insert(TASKS).values(id=bindparam("number"), owner=bindparam("of"), done=bindparam("is_done"))
)


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, [1, 2, 3]),
        ({"owner": None, "done": None}, [1, 2, 3]),
        ({"owner": "ada"}, [1, 2]),
        ({"done": False}, [1, 3]),
        ({"done": False, "owner": "ada"}, [1]),
        ({"owner": "' OR 1=1 --"}, []),
    ],
)
async def test_what_has_a_value_filters(
    open_database: OpenDatabase, database_url: str, values: dict[str, Any], ids: list[int]
) -> None:
    """False is a value, None is not; values are parameters."""
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        for number, owner, done in ((1, "ada", False), (2, "ada", True), (3, "bob", False)):
            await session.all(ADD, number=number, of=owner, is_done=done)
    chosen = FILTERS.choose(**values)
    statement = Statement(
        select(TASKS.c.id).where(*FILTERS.conditions(chosen.names)).order_by(TASKS.c.id)
    )
    rows = await database.read().all(statement, **chosen.values)
    assert [row["id"] for row in rows] == ids


def test_the_names_are_the_key_of_a_statement() -> None:
    """Whatever the values."""
    assert FILTERS.choose(owner="ada").names == FILTERS.choose(owner="bob", done=None).names
    assert FILTERS.choose(owner="ada").names != FILTERS.choose(done=True).names


def test_another_column_is_a_mistake() -> None:
    """Nothing that wasn't declared can be filtered by."""
    with pytest.raises(KeyError, match="id"):
        FILTERS.choose(id=1)
    with pytest.raises(KeyError):
        FILTERS.conditions(frozenset({"id"}))
