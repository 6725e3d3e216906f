"""Sorting by declared columns, and by no others."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from pydantic import TypeAdapter
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, insert, select
from starlette.responses import Response

from bedplate.database import Database, Statement
from bedplate.database.dependencies import ReadSession
from bedplate.database.pages import OffsetList
from bedplate.database.sorting import Order, Sorting
from bedplate.problems import InvalidInput, install_problems
from bedplate.testing.client import Client, client

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
PETS = Table(
    "pets",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False),
    Column("age", Integer),
    Column("secret", Integer),
)
SORTING = Sorting({"name": PETS.c.name, "age": PETS.c.age, "id": PETS.c.id}, "-age", PETS.c.id)
ADD = Statement(
    insert(PETS).values(id=bindparam("number"), name=bindparam("called"), age=bindparam("years"))
)
STORED = ((1, "b", 3), (2, "a", 3), (3, "c", None), (4, "a", 1))


@cache
def listing(order: Order) -> OffsetList:
    """Return the list in an order; each is compiled once."""
    return OffsetList(select(PETS.c.id), SORTING.columns(order), TypeAdapter(list[dict[str, int]]))


def application() -> FastAPI:
    """Return an app with a sorted list."""
    app = FastAPI()
    install_problems(app)

    @app.get("/pets")
    async def pets(session: ReadSession, order: Annotated[Order, Depends(SORTING)]) -> Response:
        page = await listing(order).page(session, limit=10)
        return Response(page.items, media_type="application/json")

    return app


@pytest.fixture(name="http")
async def _http(open_database: OpenDatabase, database_url: str) -> Any:
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        for number, name, age in STORED:
            await session.all(ADD, number=number, called=name, years=age)
    app = application()

    async def with_database(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {"database": database}}, receive, send)

    async with client(with_database, lifespan=False) as http:
        yield http


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [2, 1, 4, 3]),
        ("?sort=name", [2, 4, 1, 3]),
        ("?sort=-name", [3, 1, 4, 2]),
        ("?sort=name,-id", [4, 2, 1, 3]),
        ("?sort=age,name", [4, 2, 1, 3]),
        ("?sort=-age,name", [2, 1, 4, 3]),
        ("?sort=id,-id", [1, 2, 3, 4]),
    ],
)
async def test_a_client_chooses_the_order(http: Client, query: str, ids: list[int]) -> None:
    """NULL comes last in both directions, the unique column breaks ties, on both databases."""
    response = await http.get(f"/pets{query}")
    assert [pet["id"] for pet in response.json()] == ids


@pytest.mark.parametrize(
    "sort",
    ["secret", "", "-", "--name", "name,", ",name", "name desc", "name;drop table pets", "NAME",
     "name\n", "n.me", "name,age,id,name", "+name", "name\0", "é"],
)  # fmt: skip
async def test_anything_else_is_invalid_input(http: Client, sort: str) -> None:
    """It names the field and what may be asked for, not what was."""
    response = await http.get("/pets", params={"sort": sort})
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("sort", "sort_invalid")
    assert "name, age, id" in error["message"]
    assert "secret" not in json.dumps(response.json())


async def test_the_openapi_document_says_what_may_be_asked_for(http: Client) -> None:
    """With the columns of this very list."""
    document = (await http.get("/openapi.json")).json()
    [parameter] = document["paths"]["/pets"]["get"]["parameters"]
    assert parameter["name"] == "sort"
    assert "name, age, id" in parameter["description"]
    assert parameter["schema"]["default"] == "-age"
    assert "name|age|id" in parameter["schema"]["pattern"]


def test_a_default_that_is_not_declared_is_a_mistake() -> None:
    """It is found when the list is declared."""
    with pytest.raises(ValueError, match="secret is not among"):
        Sorting({"name": PETS.c.name}, "secret", PETS.c.id)


async def test_an_order_can_be_the_key_of_a_cache() -> None:
    """The same request is the same order."""
    orders = {
        await SORTING(sort=sort) for sort in ("name,-age", "name,-age", "name", "name,-age,name")
    }
    assert orders == {(("name", False), ("age", True)), (("name", False),)}
    with pytest.raises(InvalidInput):
        await SORTING(sort="secret")
