"""JSON containment: SQLite decides as PostgreSQL does."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, insert, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB

from bedplate.database import Database, Statement
from bedplate.database.json_containment import JSONContains, JSONDocument, contains_text

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
ORDERS = Table(
    "orders", METADATA, Column("id", Integer, primary_key=True), Column("details", JSONDocument)
)
ADD = Statement(
    insert(ORDERS)
    .values(id=bindparam("number"), details=bindparam("new_details"))
    .returning(ORDERS.c.id)
)
FIND = Statement(select(ORDERS.c.id).where(JSONContains(ORDERS.c.details, "part")))
ON_POSTGRESQL = Statement(
    select(
        sql_cast(bindparam("whole", type_=JSONB, required=True), JSONB)
        .contains(bindparam("part", type_=JSONB, required=True))
        .label("contained")
    )
)
SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "b", 1.5, ""])
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ({"sku": "a"}, [1, 2]),
        ({"sku": "a", "of": {"size": 3}}, [1]),
        ({"tags": ["x"]}, [2]),
        ({"tags": ["z"]}, []),
        ({"count": True}, []),
        ({"count": 1.0}, [2]),
        ({}, [1, 2]),
    ],
)
async def test_rows_are_found_by_a_part_of_their_json(
    open_database: OpenDatabase, database_url: str, part: Any, found: list[int]
) -> None:
    """A filter finds the rows whose document has all members of the part, on both databases."""
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        await session.one(ADD, number=1, new_details={"sku": "a", "of": {"size": 3, "hue": None}})
        await session.one(ADD, number=2, new_details={"sku": "a", "tags": ["y", "x"], "count": 1})
    rows = await database.read().all(FIND, part=part)
    assert sorted(row["id"] for row in rows) == found


async def test_sqlite_decides_as_postgresql(open_database: OpenDatabase, postgres_url: str) -> None:
    """For any two documents our function and PostgreSQL's operator agree."""
    database = await open_database(postgres_url)
    pairs: list[tuple[Any, Any]] = []

    @settings(max_examples=400, suppress_health_check=list(HealthCheck))
    @given(DOCUMENTS, DOCUMENTS)
    def collect(whole: Any, part: Any) -> None:
        pairs.append((whole, part))

    collect()
    assert len(pairs) > 100
    for whole, part in pairs:
        row = await database.read().one_or_none(ON_POSTGRESQL, whole=whole, part=part)
        assert row is not None
        ours = contains_text(json.dumps(whole), json.dumps(part))
        assert ours == row["contained"], (whole, part)


def test_a_row_without_a_document_contains_nothing() -> None:
    """NULL is not found by any part."""
    assert not contains_text(None, "{}")
