"""Several backends in one process, as clients and the server see them."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import APIRouter, FastAPI, Request, WebSocket
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from bedplate.backend import Backend
from bedplate.composition import Composition, compose, explain_failure
from bedplate.database import DatabaseUnavailable
from bedplate.database_state import DatabaseState
from bedplate.lifecycle import Drain
from bedplate.observability.health import HealthCheck
from bedplate.runtime import StartupError
from bedplate.runtime.serving import failure_to_start
from bedplate.settings import DatabaseSettings, Settings
from bedplate.state import State, opened
from bedplate.testing.client import Client, client
from bedplate.testing.lifespan import running
from bedplate.testing.processes import free_port

HIDDEN = ("state", "request_id", "response_headers")


class PlainSettings(Settings):
    """Settings of a backend that stores nothing."""

    model_config = SettingsConfigDict(env_file=None)


class StoringSettings(DatabaseSettings):
    """Settings of a backend that stores."""

    model_config = SettingsConfigDict(env_prefix="STORING_", env_file=None)


def make_backend(name: str, events: list[str] | None = None, **fields: Any) -> Backend:
    """Return a backend that says who it is and what its state holds, and notes its lifespan."""
    router = APIRouter()

    @router.get("/who")
    async def who(request: Request) -> dict[str, Any]:
        return {
            "name": name,
            "resource": request.state.resource,
            "state": sorted(set(request.scope["state"]) - set(HIDDEN)),
            "path": request.url.path,
        }

    @router.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(socket.state.resource)
        await socket.close()

    @contextlib.asynccontextmanager
    async def open_resource() -> AsyncIterator[str]:
        if events is not None:
            events.append(f"{name} opens")
        try:
            yield f"resource of {name}"
        finally:
            if events is not None:
                events.append(f"{name} closes")

    class NamedState(State):
        resource: str = opened(open_resource)

    annotations = {f"only_{name}": str}
    own = type(
        "OwnState",
        (NamedState,),
        {"__annotations__": annotations, f"only_{name}": opened(open_resource)},
    )
    given: dict[str, Any] = {
        "title": name.capitalize(),
        "settings": PlainSettings,
        "state": own,
        "routers": [router],
    }
    return Backend(name=name, **{**given, **fields})


def compose_two(*backends: Backend, **options: Any) -> FastAPI | Composition:
    """Return the composition of `red` and `blue`, or of what is given."""
    chosen = backends or (make_backend("red"), make_backend("blue"))
    return compose(chosen, registry=CollectorRegistry(), **options)


@pytest.fixture
async def both() -> AsyncIterator[Client]:
    """Give a client of `red` and `blue` in one process."""
    async with client(compose_two()) as connected:
        yield connected


@pytest.mark.parametrize("name", ["red", "blue"])
@pytest.mark.parametrize(
    ("host", "prefix"),
    [
        ("testserver", "/{name}"),
        ("{name}.localhost:8000", ""),
        ("{name}.example.com", ""),
        ("{name}.LOCALHOST", ""),
        ("other.localhost", "/{name}"),
    ],
)
async def test_path_and_host_name_lead_to_the_backend(
    both: Client, name: str, host: str, prefix: str
) -> None:
    """Each backend is below its path, and at the root of every host that begins with its name."""
    headers = {"host": host.format(name=name)}
    answer = await both.get(prefix.format(name=name) + "/who", headers=headers)
    assert answer.json()["name"] == name


async def test_state_does_not_leak(both: Client) -> None:
    """A backend sees its own lifespan state, and nothing of another's."""
    red = (await both.get("/red/who")).json()
    assert red["resource"] == "resource of red"
    assert "only_red" in red["state"]
    assert not {"only_blue", "red", "blue"} & {*red["state"]}


async def test_a_websocket_finds_its_backend() -> None:
    """WebSockets are handed out by path and by host name, with the state of their backend."""
    with TestClient(compose_two()) as tester:
        with tester.websocket_connect("/blue/talk") as socket:
            assert socket.receive_text() == "resource of blue"
        with tester.websocket_connect("/talk", headers={"host": "red.localhost"}) as socket:
            assert socket.receive_text() == "resource of red"


async def test_documentation_finds_its_document(both: Client) -> None:
    """Below a prefix `/docs` asks for the document below the same prefix, and it is there."""
    page = await both.get("/red/docs")
    assert "'/red/openapi.json'" in page.text
    document = (await both.get("/red/openapi.json")).json()
    assert document["info"]["title"] == "Red"
    assert document["servers"] == [{"url": "/red"}]


async def test_a_proxys_prefix_comes_first() -> None:
    """Behind a proxy that strips nothing, `root_path` and the name add up."""
    async with client(compose_two(), root_path="/api") as behind:
        assert (await behind.get("/api/blue/who")).json()["path"] == "/api/blue/who"
        assert "'/api/blue/openapi.json'" in (await behind.get("/api/blue/docs")).text
        assert 'href="/api/blue/docs"' in (await behind.get("/api/")).text


@pytest.mark.parametrize("path", ["/red/docs/", "/docs/", "/healthz/", "/red", "/red/healthz/"])
async def test_no_address_is_made_from_the_host_header(both: Client, path: str) -> None:
    """It is the client's: a redirect there would lead to a stranger, or from https to http."""
    response = await both.get(path, headers={"Host": "attacker.example"})
    assert response.status_code == (307 if path == "/red" else 404)
    assert response.headers.get("location") == ("red/" if path == "/red" else None)


async def test_the_name_alone_leads_to_its_start_page(both: Client) -> None:
    """`/red` is redirected to `/red/`, the start page of that backend."""
    page = await both.get("/red", follow_redirects=True)
    assert page.url.path == "/red/"
    assert "<h1>Red</h1>" in page.text


async def test_no_redirect_follows_the_host_header(both: Client) -> None:
    """The redirect to a start page names no host, and a slash too many is a 404."""
    headers = {"Host": "attacker.example"}
    assert (await both.get("/red", headers=headers)).headers["location"] == "red/"
    for path in ("/healthz/", "/red/who/"):
        response = await both.get(path, headers=headers)
        assert (response.status_code, response.headers.get("location")) == (404, None)
    async with client(compose_two(), root_path="/api") as behind:
        assert (await behind.get("/api/red", headers=headers)).headers["location"] == "red/"


async def test_one_start_page_lists_what_runs(both: Client) -> None:
    """The page at `/` names every backend and links its documentation."""
    page = await both.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("red", "blue"):
        assert name.capitalize() in page.text
        assert f'href="/{name}/docs"' in page.text
        assert f'href="/{name}/openapi.json"' in page.text


@pytest.mark.parametrize("path", ["/nothing", "/redder/who", "//red/who", "/RED/who", "/who"])
async def test_what_names_no_backend_is_a_problem(both: Client, path: str) -> None:
    """A path that is nobody's is a 404 problem with a request id, not another backend's answer."""
    answer = await both.get(f"http://testserver{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]


async def test_health_of_the_whole() -> None:
    """`/readyz` at the root is 503 as soon as one backend is not ready, and says which."""

    async def away() -> bool:
        return False

    sick = make_backend("blue", health_checks=lambda _: [HealthCheck("engine", away)])
    async with client(compose_two(make_backend("red"), sick)) as connected:
        with connected.expecting(503):
            whole = await connected.get("/readyz")
            assert (await connected.get("/blue/readyz")).status_code == 503
        assert whole.status_code == 503
        checks = whole.json()["checks"]
        assert {name: check["status"] for name, check in checks.items()} == {
            "red": "ok",
            "blue": "failing",
        }
        assert (await connected.get("/red/readyz")).status_code == 200
        assert (await connected.get("/healthz")).status_code == 200
        assert {*(await connected.get("/statusz")).json()["checks"]} == {"red", "blue"}


async def test_a_drain_reaches_every_backend() -> None:
    """When the process goes away, the whole and every backend say so."""
    drain = Drain()
    async with client(compose_two(drain=drain)) as connected:
        drain.begin()
        with connected.expecting(503):
            for path in ("/readyz", "/red/readyz", "/blue/readyz"):
                assert (await connected.get(path)).status_code == 503


async def test_every_lifespan_runs() -> None:
    """Backends open in their order and close in the opposite one."""
    events: list[str] = []
    backends = [
        make_backend(name, events, state=make_backend(name, events).state)
        for name in ("red", "blue")
    ]
    async with running(compose_two(*backends)):
        assert list(dict.fromkeys(events)) == ["red opens", "blue opens"]
        events.clear()
    assert list(dict.fromkeys(events)) == ["blue closes", "red closes"]


async def test_one_backend_is_at_the_root() -> None:
    """Alone, a backend is served without prefix, and its health is that of the whole."""
    app = compose_two(make_backend("red"))
    async with client(app) as connected:
        assert (await connected.get("/who")).json()["name"] == "red"
        assert "<h1>Red</h1>" in (await connected.get("/")).text
    assert app.state.healths == {"red": app.state.health}


async def test_a_backends_own_root_wins() -> None:
    """A backend that answers `/` itself has no start page."""
    router = APIRouter()

    @router.get("/")
    async def own() -> str:
        return "mine"

    async with client(compose_two(make_backend("red", routers=[router]))) as connected:
        assert (await connected.get("/")).json() == "mine"


@pytest.mark.parametrize("others", [[], ["red"]])
async def test_a_database_that_is_away_is_named(others: list[str], tmp_path: Path) -> None:
    """Backend, setting and fix are in one sentence, alone and in company."""
    metadata = MetaData()
    Table("things", metadata, Column("id", Integer, primary_key=True))
    url = f"postgresql://user:hidden@127.0.0.1:{free_port()}/name"
    storing = make_backend(
        "storing",
        settings=StoringSettings,
        state=DatabaseState,
        metadata=metadata,
        migrations=tmp_path,
    )
    settings = StoringSettings.load(database_url=SecretStr(url))
    backends = [*map(make_backend, others), storing]
    app = compose_two(*backends, settings={"storing": settings})
    with pytest.raises(StartupError) as raised:
        async with running(app):
            pass
    text = str(raised.value)
    assert text.startswith("storing: ")
    assert "STORING_DATABASE_URL" in text
    assert "hidden" not in text
    assert "\n" not in text


async def test_a_failure_shows_no_secret() -> None:
    """The text of somebody else's exception may hold the URL that it was handed."""
    secret = "s3cr#t/x"
    settings = DatabaseSettings(
        _env_file=None,
        database_url=SecretStr(f"postgresql://app:{quote(secret, safe='')}@db/x"),
        redis_url=SecretStr("redis://app:Hunter2@cache:6379/0"),
    )
    backend = Backend(name="red", title="Red", settings=DatabaseSettings)
    for text in (
        f"can't connect as app with {secret}",
        "Unable to parse storage uri redis://app:Hunter2@cache:6379/0; bad",
        "Unable to parse https://user:Hunter3#x@elsewhere",
    ):
        sentence = explain_failure(backend, settings, RuntimeError(text))
        assert sentence.startswith("red: RuntimeError: ")
        assert "***" in sentence
        assert not [word for word in (secret, "Hunter2", "Hunter3") if word in sentence]
    start = failure_to_start(RuntimeError("bad redis://app:Hunter2#x@127.0.0.1:6379/0; sorry"))
    assert "Hunter2" not in str(start)


def test_a_failure_without_a_text_has_a_reason() -> None:
    """The name of its type stands for a text that is empty, such as that of a timeout."""
    settings = DatabaseSettings(_env_file=None)
    backend = Backend(name="red", title="Red", settings=DatabaseSettings)
    refused = DatabaseUnavailable()
    refused.__cause__ = ConnectionRefusedError("Nobody listens.")
    for error, reason in (
        (TimeoutError(), "TimeoutError"),
        (DBAPIError("SELECT 1", None, TimeoutError()), "TimeoutError"),
        (refused, "Nobody listens"),
    ):
        sentence = explain_failure(backend, settings, error)
        assert sentence.startswith(f"red: its database is unavailable ({reason}): check ")
    assert explain_failure(backend, settings, KeyError()).startswith("red: KeyError: KeyError; ")


async def test_a_resource_that_fails_is_named() -> None:
    """Any other failure names the backend, and what opened before it is closed again."""
    events: list[str] = []

    def broken(settings: Settings) -> contextlib.AsyncExitStack:
        raise ValueError("no engine")

    class BrokenState(State):
        engine: contextlib.AsyncExitStack = opened(broken)

    backends = [make_backend("red", events), make_backend("blue", state=BrokenState)]
    with pytest.raises(
        StartupError, match=r"^blue: ValueError: no engine; `bedplate settings blue`"
    ):
        async with running(compose_two(*backends)):
            pass
    assert events[-1] == "red closes"


@pytest.mark.parametrize("names", [[], ["red", "red"]])
def test_names_must_differ(names: list[str]) -> None:
    """No backend, or two of the same name, is a mistake that raises at once."""
    with pytest.raises(ValueError, match="different names"):
        compose([make_backend(name) for name in names], registry=CollectorRegistry())


async def test_a_handed_over_scope_is_not_changed() -> None:
    """What is handed to a backend is a copy: the server's own scope keeps its path and state."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        return {}

    composition = Composition(FastAPI(), {"red": app})
    state = {"red": {"key": "value"}}
    scope = {"type": "http", "path": "/red/x", "root_path": "", "headers": [], "state": state}
    await composition(dict(scope), nothing, nothing)
    seen[0]["state"]["key"] = "changed"
    assert state == {"red": {"key": "value"}}
    assert (seen[0]["path"], seen[0]["root_path"]) == ("/red/x", "/red")
