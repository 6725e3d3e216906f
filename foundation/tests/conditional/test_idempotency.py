"""`Idempotency-Key`: one effect and one answer, with two instances, crashes and races."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Header, Request
from pydantic import SecretStr
from sqlalchemy import (
    Column,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bedplate.conditional.idempotency import KEPT, Idempotency, IdempotentRequest, idempotency_table
from bedplate.database import Database, Statement, WriteSession
from bedplate.database.pool import FairPool
from bedplate.jobs.background import Jobs
from bedplate.problems import Conflict, install_problems
from bedplate.settings import DatabaseSettings
from bedplate.testing.client import Client, client
from bedplate.testing.clock import SettableClock
from bedplate.testing.proxy import FaultProxy

METADATA = MetaData()
TASKS = Table(
    "tasks",
    METADATA,
    Column("id", Integer, Identity(), primary_key=True),
    Column("title", String(50), nullable=False),
)
KEYS = idempotency_table(METADATA)
ADD = Statement(insert(TASKS).values(title=bindparam("called")).returning(TASKS.c.id))
COUNT = Statement(select(func.count().label("count")).select_from(TASKS))
COUNT_KEYS = Statement(select(func.count().label("count")).select_from(KEYS))
TITLE = {"title": "Tea"}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}

Idempotent = Annotated[IdempotentRequest, Depends(Idempotency(KEYS, wait_seconds=0.3))]
Patient = Annotated[IdempotentRequest, Depends(Idempotency(KEYS, wait_seconds=30))]
Owner = Annotated[str, Header(alias="X-Owner")]


class Gate:
    """Lets a test hold a request in the middle of its work."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_through(self) -> None:
        """Tell that the work is under way, and wait until it may go on."""
        self.reached.set()
        await self.open.wait()


def application() -> FastAPI:
    """Return an app that adds tasks."""
    app = FastAPI()
    install_problems(app)

    async def create(session: WriteSession, title: str) -> Response:
        task = await session.one(ADD, called=title)
        headers = {"Location": f"/tasks/{task['id']}", "ETag": '"1"', "X-Other": "x"}
        return JSONResponse({"id": task["id"], "title": title}, 201, headers)

    @app.post("/tasks", status_code=201)
    async def add(
        request: Request,
        body: dict[str, Any],
        idempotent: Patient,
        owner: Owner = "ada",
    ) -> Response:
        return await idempotent.run(owner, lambda session: create(session, body["title"]))

    @app.post("/slow")
    async def slow(request: Request, body: dict[str, Any], idempotent: Idempotent) -> Response:
        async def work(session: WriteSession) -> Response:
            response = await create(session, body["title"])
            await request.state.gate.pass_through()
            return response

        return await idempotent.run("ada", work)

    @app.post("/failing")
    async def failing(idempotent: Idempotent, body: dict[str, Any]) -> Response:
        async def work(session: WriteSession) -> Response:
            await create(session, body["title"])
            raise Conflict("Not today.")

        return await idempotent.run("ada", work)

    add_plain_answers(app)
    return app


def add_plain_answers(app: FastAPI) -> None:
    """Add routes whose answers have no body, or are errors that the handler returned."""

    @app.post("/empty", status_code=204)
    async def empty(idempotent: Idempotent) -> Response:
        async def work(session: WriteSession) -> Response:
            await session.one(ADD, called="x")
            return Response(status_code=204)

        return await idempotent.run("ada", work)

    @app.post("/refusing")
    async def refusing(idempotent: Idempotent) -> Response:
        async def work(session: WriteSession) -> Response:
            task = await session.one(ADD, called="x")
            return JSONResponse({"refused": task["id"]}, 409)

        return await idempotent.run("ada", work)


@asynccontextmanager
async def instance(url: str, gate: Gate | None = None) -> AsyncIterator[tuple[Client, Database]]:
    """Run one instance of the app: a pool and a client of its own."""
    settings = DatabaseSettings(database_url=SecretStr(url))
    app = application()
    async with Database.open(settings) as database:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            state = {"database": database, "gate": gate}
            await app({**scope, "state": state}, receive, send)

        async with client(with_state, lifespan=False) as http:
            yield http, database
        pool = database.engine.pool
        assert isinstance(pool, FairPool)
        assert pool.checkedout() == 0


@pytest.fixture(name="gate")
async def _gate() -> Gate:
    return Gate()


@pytest.fixture(name="url")
async def _url(database_url: str) -> str:
    async with (
        Database.open(DatabaseSettings(database_url=SecretStr(database_url))) as database,
        database.engine.begin() as connection,
    ):
        await connection.run_sync(METADATA.create_all)
    return database_url


@pytest.fixture(name="http")
async def _http(url: str, gate: Gate) -> AsyncIterator[tuple[Client, Database]]:
    async with instance(url, gate) as running:
        yield running


Running = tuple[Client, Database]


async def count(database: Database, statement: Statement = COUNT) -> int:
    """Return how many tasks there are, or keys."""
    number: int = (await database.read().all(statement))[0]["count"]
    return number


def seen(response: httpx2.Response) -> tuple[int, bytes, dict[str, str | None]]:
    """Return what two answers must share."""
    names = ("content-type", "location", "etag", "content-length")
    return (
        response.status_code,
        response.content,
        {name: response.headers.get(name) for name in names},
    )


async def test_the_same_request_gets_the_same_answer(http: Running) -> None:
    """Status, body and the headers that belong to it; the effect is there once."""
    api, database = http
    first = await api.post("/tasks", json=TITLE, headers=KEY)
    assert first.status_code == 201
    for _ in range(3):
        assert seen(await api.post("/tasks", json=TITLE, headers=KEY)) == seen(first)
    assert await count(database) == 1


async def test_without_a_key_every_request_counts(http: Running) -> None:
    """As ever."""
    api, database = http
    answers = [await api.post("/tasks", json=TITLE) for _ in range(3)]
    assert [answer.json()["id"] for answer in answers] == [1, 2, 3]
    assert await count(database, COUNT_KEYS) == 0


async def test_an_answer_without_a_body_is_replayed(http: Running) -> None:
    """204 stays 204."""
    api, database = http
    for _ in range(2):
        response = await api.post("/empty", headers=KEY)
        assert (response.status_code, response.content) == (204, b"")
    assert await count(database) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("/tasks", {"title": "Oats"}), ("/tasks?x=1", TITLE), ("/slow", TITLE), ("/tasks", None)],
)
async def test_another_request_with_the_key_is_refused(
    http: Running, path: str, body: dict[str, str] | None
) -> None:
    """Another body, address or query: 422, and nothing is done."""
    api, database = http
    first = await api.post("/tasks", json=TITLE, headers=KEY)
    assert first.request.content == b'{"title":"Tea"}'
    # The same bytes unless the body is what differs: white space alone makes another body.
    content = json.dumps(body or TITLE, separators=(",", ":")) + ("" if body else " ")
    json_type = {"Content-Type": "application/json"}
    other = await api.post(path, content=content, headers=KEY | json_type)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert "Tea" not in other.text
    assert await count(database) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é".encode(), b"a\x7f"], ids=repr)
async def test_a_malformed_key_is_a_bad_request(http: Running, key: str | bytes) -> None:
    """And nothing is done."""
    api, database = http
    value = key.encode() if isinstance(key, str) else key
    response = await api.post("/tasks", json=TITLE, headers={b"Idempotency-Key": value})
    assert response.status_code == 400
    assert "Idempotency-Key must be" in response.json()["detail"]
    assert await count(database) == 0


async def test_the_longest_key_is_taken(http: Running) -> None:
    """255 characters of any visible kind."""
    api, _ = http
    key = {"Idempotency-Key": '"\\~!' + "x" * 251}
    assert (await api.post("/tasks", json=TITLE, headers=key)).status_code == 201
    assert (await api.post("/tasks", json=TITLE, headers=key)).status_code == 201


async def test_owners_don_t_meet(http: Running) -> None:
    """The same key of another owner is another key, with another body too."""
    api, database = http
    first = await api.post("/tasks", json=TITLE, headers=KEY | {"X-Owner": "ada"})
    second = await api.post("/tasks", json={"title": "Oats"}, headers=KEY | {"X-Owner": "bob"})
    assert [first.json()["id"], second.json()["id"]] == [1, 2]
    for owner, title, answer in (("ada", "Tea", first), ("bob", "Oats", second)):
        again = await api.post("/tasks", json={"title": title}, headers=KEY | {"X-Owner": owner})
        assert seen(again) == seen(answer)
    assert await count(database) == 2


async def test_an_answer_that_is_an_error_is_replayed_too(http: Running) -> None:
    """A handler that answers 4xx has done its work, also when what it added stays."""
    api, database = http
    first = await api.post("/refusing", headers=KEY)
    assert first.status_code == 409
    assert seen(await api.post("/refusing", headers=KEY)) == seen(first)
    assert await count(database) == 1


async def test_a_hundred_at_once_are_one(url: str) -> None:
    """From two instances with a pool of eight each: one task, a hundred answers alike."""
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(instance(url)) for _ in range(2)]
        answers = await asyncio.gather(
            *(running[n % 2][0].post("/tasks", json=TITLE, headers=KEY) for n in range(100))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({str(seen(answer)) for answer in answers}) == 1
        assert await count(running[0][1]) == 1


async def test_many_keys_at_once_don_t_meet(http: Running) -> None:
    """Five requests for each of twenty keys: twenty tasks."""
    api, database = http
    answers = await asyncio.gather(
        *(
            api.post("/tasks", json=TITLE, headers={"Idempotency-Key": str(n % 20)})
            for n in range(100)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 20
    assert await count(database) == 20


async def test_a_request_that_is_still_running_is_a_409(http: Running, gate: Gate) -> None:
    """After the bound, with a time to come back at; when it is done its answer is replayed."""
    api, database = http
    first = asyncio.ensure_future(api.post("/slow", json=TITLE, headers=KEY))
    await gate.reached.wait()
    second = await api.post("/slow", json=TITLE, headers=KEY)
    assert second.status_code == 409
    assert second.json()["code"] == "idempotent_request_still_running"
    assert second.headers["retry-after"] == "1"
    gate.open.set()
    done = await first
    assert seen(await api.post("/slow", json=TITLE, headers=KEY)) == seen(done)
    assert await count(database) == 1


async def test_a_request_that_fails_keeps_nothing(http: Running) -> None:
    """Neither its effect nor its error: it may be tried again with its key, with another body."""
    api, database = http
    for title in ("Tea", "Oats"):
        response = await api.post("/failing", json={"title": title}, headers=KEY)
        assert response.status_code == 409
    assert (await count(database), await count(database, COUNT_KEYS)) == (0, 0)


async def test_a_request_that_is_cancelled_keeps_nothing(http: Running, gate: Gate) -> None:
    """The one that waited for it does the work instead."""
    api, database = http
    first = asyncio.ensure_future(api.post("/slow", json=TITLE, headers=KEY))
    await gate.reached.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.open.set()
    assert (await api.post("/slow", json=TITLE, headers=KEY)).status_code == 201
    assert await count(database) == 1


async def test_a_connection_that_is_cut_keeps_nothing(postgres_url: str, gate: Gate) -> None:
    """As when the instance dies in the middle: another one does the work."""
    async with (
        Database.open(DatabaseSettings(database_url=SecretStr(postgres_url))) as database,
        database.engine.begin() as connection,
    ):
        await connection.run_sync(METADATA.create_all)
    async with (
        FaultProxy(postgres_url) as proxy,
        instance(f"{proxy.url}?sslmode=disable", gate) as (dying, _),
        instance(postgres_url, gate) as (living, database),
    ):
        first = asyncio.ensure_future(dying.post("/slow", json=TITLE, headers=KEY))
        await gate.reached.wait()
        second = asyncio.ensure_future(living.post("/tasks", json=TITLE, headers=KEY))
        await proxy.cut()
        with dying.expecting(503):
            gate.open.set()
            assert (await first).status_code == 503
        assert (await second).status_code == 201
        assert await count(database) == 1


async def test_a_database_that_hangs_is_a_503_rather_than_a_409(
    postgres_url: str, gate: Gate
) -> None:
    """Nobody may read it as a request that is still running."""
    async with FaultProxy(postgres_url) as proxy:
        url = f"{proxy.url}?sslmode=disable&connect_timeout=1"
        async with instance(url, gate) as (api, _):
            await proxy.hang()
            with api.expecting(503):
                response = await api.post("/slow", json=TITLE, headers=KEY)
            assert response.status_code == 503
            assert response.json()["code"] == "database_unavailable"


async def test_an_expired_key_is_taken_over(http: Running, clock: SettableClock) -> None:
    """After 24 hours it may stand for another request, whose answer is then kept."""
    api, database = http
    first = await api.post("/tasks", json=TITLE, headers=KEY)
    clock.advance(seconds=KEPT.total_seconds())
    assert seen(await api.post("/tasks", json=TITLE, headers=KEY)) == seen(first)
    clock.advance(seconds=1)
    other = await api.post("/tasks", json={"title": "Oats"}, headers=KEY)
    assert (other.status_code, other.json()["id"]) == (201, 2)
    assert seen(await api.post("/tasks", json={"title": "Oats"}, headers=KEY)) == seen(other)
    assert (await count(database), await count(database, COUNT_KEYS)) == (2, 1)


async def test_a_hundred_at_once_take_an_expired_key_over_once(
    http: Running, clock: SettableClock
) -> None:
    """The row is there already, so they race for its update."""
    api, database = http
    await api.post("/tasks", json=TITLE, headers=KEY)
    clock.advance(days=2)
    answers = await asyncio.gather(
        *(api.post("/tasks", json=TITLE, headers=KEY) for _ in range(100))
    )
    assert {answer.json()["id"] for answer in answers} == {2}
    assert await count(database) == 2


async def test_a_purge_deletes_only_what_expired(http: Running, clock: SettableClock) -> None:
    """The rest is still replayed."""
    api, database = http
    await api.post("/tasks", json=TITLE, headers={"Idempotency-Key": "old"})
    clock.advance(hours=23)
    new = await api.post("/tasks", json=TITLE, headers={"Idempotency-Key": "new"})
    clock.advance(hours=2)
    await Idempotency(KEYS).purge(database)
    assert await count(database, COUNT_KEYS) == 1
    again = await api.post("/tasks", json=TITLE, headers={"Idempotency-Key": "new"})
    assert seen(again) == seen(new)


class HastyJobs(Jobs):
    """Doesn't wait between two runs of a job, and remembers how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}

    def every(
        self, seconds: float, function: Callable[[], Awaitable[object]], *, name: str
    ) -> asyncio.Task[Any]:
        """Run a function again and again."""
        self.seconds[name] = seconds
        return super().every(0.01, function, name=name)


async def test_the_lifespan_purges(http: Running, clock: SettableClock) -> None:
    """As a background job, at once and again every hour."""
    api, database = http
    async with HastyJobs() as jobs, Idempotency(KEYS).open(database, jobs), asyncio.timeout(30):
        assert jobs.seconds == {"purge_idempotency_keys": 3600}
        for _ in range(2):
            await api.post("/tasks", json=TITLE, headers=KEY)
            assert await count(database, COUNT_KEYS) == 1
            clock.advance(seconds=KEPT.total_seconds() + 1)
            while await count(database, COUNT_KEYS):
                pass
