"""One statement changes whichever columns a client sent."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Column, Identity, Integer, MetaData, String, Table, case, insert, update

from bedplate.database import BigInt, Database, Statement
from bedplate.database.partial_updates import any_other_value, new_value_if_set, values_if_set

METADATA = MetaData()
PETS = Table(
    "pets",
    METADATA,
    Column("id", BigInt, Identity(), primary_key=True),
    Column("name", String(20)),
    Column("colour", String(20)),
    Column("version", Integer, nullable=False, server_default="1"),
)
ADD = Statement(insert(PETS).values(name="Rex", colour="brown").returning(PETS.c.id))
CHANGE = Statement(
    update(PETS)
    .values(
        name=new_value_if_set(PETS.c.name),
        colour=new_value_if_set(PETS.c.colour),
        version=PETS.c.version + case((any_other_value(PETS.c.name, PETS.c.colour), 1), else_=0),
    )
    .returning(PETS.c.name, PETS.c.colour, PETS.c.version)
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"name": "Rex", "colour": "brown", "version": 1}),
        ({"name": "Rex"}, {"name": "Rex", "colour": "brown", "version": 1}),
        ({"name": "Bo"}, {"name": "Bo", "colour": "brown", "version": 2}),
        ({"name": "Rex", "colour": None}, {"name": "Rex", "colour": None, "version": 2}),
        ({"name": None, "colour": "red"}, {"name": None, "colour": "red", "version": 2}),
    ],
)
async def test_only_what_is_set_changes(
    open_database: Callable[..., Awaitable[Database]],
    database_url: str,
    fields: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    """None is a value like others; a column that isn't set keeps its own, and so may a version."""
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        assert (await session.one(ADD))["id"] == 1
        assert await session.one(CHANGE, **values_if_set(["name", "colour"], fields)) == expected
