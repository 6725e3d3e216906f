"""What `create_app` puts around a backend, seen from outside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Body, Depends, HTTPException, Request
from fastapi.requests import HTTPConnection
from prometheus_client import CollectorRegistry
from sqlalchemy import MetaData

from bedplate.application import create_app
from bedplate.auth import Guard, Principal
from bedplate.auth.credentials import bearer_token
from bedplate.backend import Backend
from bedplate.database import Database
from bedplate.database_state import DatabaseState, migrations_of
from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from bedplate.observability.health import HealthCheck
from bedplate.problems import MEDIA_TYPE, ProblemPolicy
from bedplate.rate_limits import Budget, RateLimit
from bedplate.settings import DatabaseSettings, Settings, SettingsError
from bedplate.state import State, opened
from bedplate.testing.client import Client, client

SETTINGS = Settings.load(
    _env_file=None,
    max_body_bytes=1000,
    max_json_depth=5,
    max_json_members=9,
    request_timeout_seconds=1.5,
)
LIMIT = RateLimit(read=Budget(3), write=Budget(3))
ORIGIN = {"Origin": "http://localhost:3000"}
MIGRATION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "first", None, None, None
def upgrade():
    op.execute("CREATE TABLE visits (id int)")
def downgrade():
    op.drop_table("visits")
"""


class Anybody:
    """Proves whoever sends a token."""

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return who asks."""
        token = bearer_token(connection)
        return None if token is None else Principal("user", token.decode("latin-1"))


@contextlib.asynccontextmanager
async def open_verifier() -> AsyncIterator[Anybody]:
    """Yield the verifier of these tests."""
    yield Anybody()


class NotesState(State):
    """The state of the backend of these tests."""

    verifier: Anybody = opened(open_verifier)


class StoringState(DatabaseState):
    """The state of one that stores."""

    verifier: Anybody = opened(open_verifier)


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/notes/{number}")
    async def read(number: int) -> int:
        return number

    @router.post("/notes")
    async def write(value: Annotated[Any, Body()]) -> Any:
        return value

    @router.get("/crash")
    async def crash() -> None:
        raise RuntimeError("inside")

    @router.get("/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    @router.get("/missing")
    async def missing() -> None:
        raise HTTPException(404, "No such note.")

    @router.get("/me")
    async def me(principal: Annotated[Principal, Depends(Guard(rate_limit=LIMIT))]) -> str:
        return principal.id

    @router.get("/resources")
    async def resources(request: Request) -> list[str]:
        return sorted(request.state._state)

    return router


def _backend(**options: Any) -> Backend:
    options = {"state": NotesState, "settings": Settings, **options}
    return Backend(name="notes", title="Notes", routers=[_router()], **options)


def _app(settings: Settings = SETTINGS, **options: Any) -> Any:
    return create_app(_backend(**options), settings, registry=CollectorRegistry())


@pytest.fixture
async def caller() -> AsyncIterator[Client]:
    """A client of a backend with everything on."""
    async with client(_app(), raise_app_exceptions=False) as one:
        yield one


def _request(name: str) -> dict[str, Any]:
    json = {"headers": {"Content-Type": "application/json"}}
    requests: dict[str, dict[str, Any]] = {
        "invalid": {"method": "GET", "url": "/notes/x"},
        "unknown path": {"method": "GET", "url": "/nowhere"},
        "unknown method": {"method": "PUT", "url": "/notes/1"},
        "raised": {"method": "GET", "url": "/missing"},
        "unproven": {"method": "GET", "url": "/me"},
        "too large": {"method": "POST", "url": "/notes", "content": b"1" * 1001, **json},
        "too deep": {"method": "POST", "url": "/notes", "content": b"[" * 6 + b"]" * 6, **json},
        "too many": {
            "method": "POST",
            "url": "/notes",
            "content": b'{"a":1' + b',"a":1' * 9 + b"}",
            **json,
        },
        "malformed": {"method": "POST", "url": "/notes", "content": b"{", **json},
        "too slow": {"method": "GET", "url": "/slow"},
        "unforeseen": {"method": "GET", "url": "/crash"},
    }
    return requests[name]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("invalid", 422),
        ("unknown path", 404),
        ("unknown method", 405),
        ("raised", 404),
        ("unproven", 401),
        ("too large", 413),
        ("too deep", 400),
        ("too many", 400),
        ("malformed", 422),
        ("too slow", 504),
        ("unforeseen", 500),
    ],
)
async def test_every_error_is_a_problem_with_the_request_s_id(
    caller: Client, name: str, status: int
) -> None:
    """Whichever layer answers."""
    request = _request(name)
    headers = {**request.pop("headers", {}), "X-Request-ID": "given-by-the-client"}
    with caller.expecting(500, 504):
        response = await caller.request(**request, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"] == MEDIA_TYPE
    assert response.headers["x-request-id"] == "given-by-the-client"
    assert response.json()["request_id"] == "given-by-the-client"
    assert response.json()["status"] == status


async def test_head_works_where_get_does(caller: Client) -> None:
    """And `Allow` says so."""
    response = await caller.head("/notes/1")
    assert (response.status_code, response.content) == (200, b"")
    assert (await caller.put("/notes/1")).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/notes/1/", "/docs/", "/healthz/", "/me/"])
async def test_no_redirect_follows_the_host_header(caller: Client, path: str) -> None:
    """A slash too many is a 404; a redirect would lead to whatever the Host header names."""
    response = await caller.get(path, headers={"Host": "attacker.example"})
    assert response.status_code == 404
    assert "location" not in response.headers


async def test_a_browser_may_call_and_read_what_it_needs(caller: Client) -> None:
    """The limits' headers and the request id are exposed; headers that APIs read may be sent."""
    response = await caller.get("/notes/1", headers=ORIGIN)
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    exposed = response.headers["access-control-expose-headers"]
    assert "X-Request-ID" in exposed
    assert "RateLimit-Remaining" in exposed
    assert sorted(exposed.split(", ")) == sorted(set(exposed.split(", ")))
    asking = {
        **ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": (
            "cache-control, traceparent, tracestate, baggage, last-event-id"
        ),
    }
    assert (await caller.options("/notes/1", headers=asking)).status_code == 200
    stranger = await caller.get("/notes/1", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers


async def test_resources_are_opened_in_order_and_closed_in_the_opposite_one() -> None:
    """Each may use those before it; requests find them on their state."""
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def open_y(settings: Settings) -> AsyncIterator[str]:
        events.append(f"open y with {type(settings).__name__}")
        yield "why"
        events.append("close y")

    @contextlib.asynccontextmanager
    async def open_z(y: str, jobs: Jobs) -> AsyncIterator[int]:
        events.append(f"open z with {y} and {len(jobs)} jobs")
        yield 26
        events.append("close z")

    class YZState(State):
        y: str = opened(open_y)
        z: int = opened(open_z)

    app = _app(state=YZState)
    async with client(app) as one:
        found = (await one.get("/resources")).json()
    assert {"drain", "jobs", "limiter", "settings", "y", "z"} <= set(found)
    assert events == ["open y with Settings", "open z with why and 0 jobs", "close z", "close y"]


async def test_a_test_passes_its_own_resources() -> None:
    """They are not opened or closed here."""
    calls: list[str] = []

    @contextlib.asynccontextmanager
    async def never() -> AsyncIterator[Anybody]:
        calls.append("verifier")
        yield Anybody()

    class ReplacedState(State):
        verifier: Anybody = opened(never)

    app = create_app(
        _backend(state=ReplacedState),
        SETTINGS,
        registry=CollectorRegistry(),
        replacements={"verifier": Anybody()},
    )
    async with client(app) as one:
        assert (await one.get("/me", headers={"Authorization": "Bearer ada"})).json() == "ada"
    assert not calls


async def test_a_resource_that_cannot_be_opened_closes_those_before_it() -> None:
    """And the start fails with its error."""
    closed: list[str] = []

    @contextlib.asynccontextmanager
    async def open_first() -> AsyncIterator[str]:
        try:
            yield "first"
        finally:
            closed.append("first")

    def fail(first: str) -> Any:
        raise OSError(f"no such thing beside {first}")

    class BrokenState(State):
        first: str = opened(open_first)
        broken: int = opened(fail)

    with pytest.raises(OSError, match="no such thing"):
        async with client(_app(state=BrokenState)):
            pass
    assert closed == ["first"]


async def test_health_knows_the_database_and_the_backend_s_own_checks(database_url: str) -> None:
    """Ready while every one of them is."""
    away = asyncio.Event()

    async def check() -> None:
        if away.is_set():
            raise OSError

    settings = DatabaseSettings.load(_env_file=None, database_url=database_url)
    async with Database.open(settings) as database:
        app = create_app(
            _backend(
                settings=DatabaseSettings,
                state=StoringState,
                metadata=MetaData(),
                health_checks=lambda _: [HealthCheck("mail", check)],
            ),
            settings,
            registry=CollectorRegistry(),
            replacements={"database": database},
        )
        async with client(app) as one:
            assert (await one.get("/readyz")).status_code == 200
            away.set()
            with one.expecting(503):
                assert (await one.get("/readyz")).status_code == 503
            assert (await one.get("/healthz")).status_code == 200


async def test_an_application_without_its_migrations_is_not_ready(
    database_url: str, tmp_path: Path
) -> None:
    """`/readyz` is a 503 that names them, until somebody has run them."""
    (tmp_path / "2026-01-01_first.py").write_text(MIGRATION)
    settings = DatabaseSettings.load(
        _env_file=None, database_url=database_url, database_auto_migrate=False
    )
    backend = _backend(
        settings=DatabaseSettings,
        state=StoringState,
        metadata=MetaData(),
        migrations=tmp_path,
    )
    async with Database.open(settings) as database:
        app = create_app(
            backend,
            settings,
            registry=CollectorRegistry(),
            replacements={"database": database},
        )
        async with client(app) as one:
            with one.expecting(503):
                missing = await one.get("/readyz")
            assert missing.status_code == 503
            checks = missing.json()["checks"]
            assert checks["database"]["status"] == "ok"
            assert checks["migrations"]["status"] == "failing"
            migrations = migrations_of(backend)
            assert migrations is not None
            await migrations.upgrade(database.engine)
            assert (await one.get("/readyz")).status_code == 200


async def test_a_process_that_goes_away_is_not_ready() -> None:
    """It still answers all else."""
    drain = Drain()
    app = create_app(_backend(), SETTINGS, drain=drain, registry=CollectorRegistry())
    async with client(app) as one:
        assert (await one.get("/readyz")).status_code == 200
        drain.begin()
        with one.expecting(503):
            assert (await one.get("/readyz")).status_code == 503
        assert (await one.get("/notes/1")).status_code == 200


async def test_requests_refused_before_any_dependency_are_charged() -> None:
    """Malformed bodies don't come for free, and a refused proof is charged once."""
    async with client(_app(rate_limit=LIMIT)) as one:
        json = {"Content-Type": "application/json"}
        statuses = [
            (await one.post("/notes", content=b"{", headers=json)).status_code for _ in range(4)
        ]
        assert statuses == [422, 422, 422, 429]
        assert [(await one.get("/me")).status_code for _ in range(4)] == [401, 401, 401, 429]


async def test_the_policy_s_status_and_the_document_agree() -> None:
    """Refused input is a 400 in both."""
    async with client(_app(problems=ProblemPolicy(validation_status=400))) as one:
        assert (await one.get("/notes/x")).status_code == 400
        document = (await one.get("/openapi.json")).json()
    responses = document["paths"]["/notes/{number}"]["get"]["responses"]
    assert "400" in responses
    assert "422" not in responses


def test_unsafe_settings_are_refused_before_anything_is_opened() -> None:
    """Also when they were passed in."""
    unsafe = Settings.load(_env_file=None, cors_origins=["*"])
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        create_app(_backend(), unsafe, registry=CollectorRegistry())


async def test_two_applications_of_one_backend_stand_side_by_side() -> None:
    """Nothing is shared but the registry of metrics, when it is passed to both."""
    async with client(_app()) as one, client(_app()) as other:
        assert (await one.get("/notes/1")).json() == (await other.get("/notes/1")).json()
