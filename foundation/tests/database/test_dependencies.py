"""Sessions in routes: committed before the response leaves, and never a 2xx for what failed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI, Response
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, func, insert, select
from sqlalchemy import text as sql
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from bedplate.database import Database, Statement, UniqueViolation
from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.problems import Conflict, install_problems
from bedplate.testing.client import Client, client

OpenDatabase = Callable[..., Awaitable[Database]]
CheckedOut = Callable[[Database], int]

METADATA = MetaData()
VISITS = Table("visits", METADATA, Column("id", Integer, primary_key=True))
ADD = Statement(insert(VISITS).values(id=bindparam("number")).returning(VISITS.c.id))
COUNT = Statement(select(func.count().label("count")).select_from(VISITS))


def application() -> FastAPI:
    """Return an app that stores visits in every way a route can."""
    app = FastAPI()
    install_problems(app)

    @app.post("/visits/{number}", status_code=201)
    async def add(number: int, session: WriteSession) -> dict[str, Any]:
        return await session.one(ADD, number=number)

    @app.post("/streamed/{number}")
    async def streamed(number: int, session: WriteSession) -> StreamingResponse:
        await session.one(ADD, number=number)
        return StreamingResponse(iter([b"done"]))

    @app.post("/refused/{number}")
    async def refused(number: int, session: WriteSession) -> None:
        await session.one(ADD, number=number)
        raise Conflict("No.")

    @app.post("/broken/{number}")
    async def broken(number: int, session: WriteSession) -> Response:
        await session.one(ADD, number=number)
        raise ZeroDivisionError

    @app.post("/swallowed/{number}", status_code=201)
    async def swallowed(number: int, session: WriteSession) -> None:
        await session.one(ADD, number=number)
        try:
            await session.one(ADD, number=number)
        except UniqueViolation:
            return

    @app.get("/visits")
    async def count(session: ReadSession) -> dict[str, Any] | None:
        return await session.one_or_none(COUNT)

    return app


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


@pytest.fixture(name="http")
async def _http(database: Database) -> Any:
    app = application()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def look_first(message: Message) -> None:
            """Note what others see in the database when the first byte leaves."""
            if message["type"] == "http.response.start":
                found = await database.read().one_or_none(COUNT)
                message["headers"].append((b"x-stored", str((found or {})["count"]).encode()))
            await send(message)

        await app({**scope, "state": {"database": database}}, receive, look_first)

    async with client(watched, lifespan=False, raise_app_exceptions=False) as http:
        yield http


@pytest.mark.parametrize("path", ["/visits/1", "/streamed/1"])
async def test_the_commit_comes_before_the_response(http: Client, path: str) -> None:
    """When the first byte leaves, others see what was stored, for a streamed response too."""
    response = await http.post(path)
    assert response.is_success
    assert response.headers["x-stored"] == "1"


@pytest.mark.parametrize(("path", "status"), [("/refused/1", 409), ("/broken/1", 500)])
async def test_an_error_stores_nothing(
    http: Client, database: Database, path: str, status: int, checked_out: CheckedOut
) -> None:
    """Whether it was meant or not; the connection is back."""
    with http.expecting(500):
        response = await http.post(path)
    assert response.status_code == status
    assert (await http.get("/visits")).json() == {"count": 0}
    assert checked_out(database) == 0


async def test_a_commit_that_fails_is_never_a_2xx(
    open_database: OpenDatabase, postgres_url: str
) -> None:
    """A constraint that is checked at COMMIT, after the route has returned its 201."""
    database = await open_database(postgres_url)
    async with database.engine.begin() as connection:
        await connection.execute(
            sql("CREATE TABLE visits (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        )
    app = application()

    async def with_database(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {"database": database}}, receive, send)

    async with client(with_database, lifespan=False) as http:
        assert (await http.post("/visits/1")).status_code == 201
        response = await http.post("/visits/1")
        assert response.status_code == 409
        assert response.json()["code"] == "already_exists"
        assert (await http.get("/visits")).json() == {"count": 1}


async def test_a_swallowed_error_is_never_a_2xx_without_its_effect(
    http: Client, database: Database
) -> None:
    """On PostgreSQL the first visit is lost with the second, so the answer is a 500."""
    with http.expecting(500):
        response = await http.post("/swallowed/1")
    stored = (await http.get("/visits")).json()["count"]
    assert (response.status_code, stored) in {(201, 1), (500, 0)}


async def test_many_writers_at_once(
    http: Client, database: Database, checked_out: CheckedOut
) -> None:
    """A hundred on a pool of eight: each waits for its turn, and none fails."""
    responses = await asyncio.gather(*(http.post(f"/visits/{n}") for n in range(100)))
    assert {response.status_code for response in responses} == {201}
    assert (await http.get("/visits")).json() == {"count": 100}
    assert checked_out(database) == 0
