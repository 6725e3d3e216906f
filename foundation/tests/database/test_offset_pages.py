"""Offset pages: items and their number, alike on both databases."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, insert, select
from starlette.responses import Response

from bedplate.database import Database, Statement, UTCDateTime
from bedplate.database.dependencies import ReadSession
from bedplate.database.pages import OffsetList, OffsetPageOf
from bedplate.problems import install_problems
from bedplate.testing.client import client

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
BOOKS = Table(
    "books",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("title", String(50), nullable=False),
    Column("bought_at", UTCDateTime, nullable=False),
)
ADD = Statement(
    insert(BOOKS).values(
        id=bindparam("number"), title=bindparam("called"), bought_at=bindparam("at")
    )
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Book(BaseModel):
    """A book as it goes out."""

    id: int
    title: str
    bought_at: datetime


LIST = OffsetList(select(*BOOKS.c), [BOOKS.c.id.desc()], TypeAdapter(list[Book]))
SEARCH = OffsetList(
    select(*BOOKS.c).where(BOOKS.c.title == bindparam("called")),
    [BOOKS.c.id],
    TypeAdapter(list[Book]),
)


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        for number in range(10):
            title = f"Vol. {number % 2}"
            await session.all(ADD, number=number, called=title, at=NOON)
    return database


@pytest.mark.parametrize(
    ("limit", "offset", "ids"),
    [(3, 0, [9, 8, 7]), (3, 9, [0]), (3, 10, []), (3, 10**12, []), (0, 0, []), (100, 8, [1, 0])],
)
async def test_any_page_with_the_number_of_all_items(
    database: Database, limit: int, offset: int, ids: list[int]
) -> None:
    """Also of none, and beyond the end."""
    page = await LIST.page(database.read(), limit=limit, offset=offset)
    shown = json.loads(page.body)
    assert [item["id"] for item in shown["items"]] == ids
    assert (shown["total"], shown["limit"], shown["offset"]) == (10, limit, offset)
    assert json.loads(page.items) == shown["items"]


async def test_the_json_is_pydantic_s(database: Database) -> None:
    """Instants included."""
    page = await LIST.page(database.read(), limit=1)
    book = {"id": 9, "title": "Vol. 1", "bought_at": "2026-01-01T12:00:00Z"}
    assert json.loads(page.body) == {"items": [book], "total": 10, "limit": 1, "offset": 0}


async def test_a_filter_applies_to_the_number_too(database: Database) -> None:
    """Its parameter is given once."""
    page = await SEARCH.page(database.read(), limit=2, offset=1, called="Vol. 0")
    shown = json.loads(page.body)
    assert ([item["id"] for item in shown["items"]], shown["total"]) == ([2, 4], 5)


async def test_a_route_documents_and_answers_a_page(database: Database) -> None:
    """`OffsetPageOf` is the model; the body goes out as the database made it."""
    app = FastAPI()
    install_problems(app)

    @app.get("/books", response_model=OffsetPageOf[Book])
    async def books(
        session: ReadSession,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> Response:
        page = await LIST.page(session, limit=limit, offset=offset)
        return Response(page.body, media_type="application/json")

    async def with_database(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {"database": database}}, receive, send)

    async with client(with_database, lifespan=False) as http:
        response = await http.get("/books?limit=2")
        assert OffsetPageOf[Book].model_validate(response.json()).total == 10
        document = (await http.get("/openapi.json")).json()
    schema = document["components"]["schemas"]["OffsetPageOf_Book_"]
    assert sorted(schema["properties"]) == ["items", "limit", "offset", "total"]
