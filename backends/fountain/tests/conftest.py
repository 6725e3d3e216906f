"""Fixtures for the five services: migrated databases, running services, judges of responses.

Every response to a client of these fixtures is checked against the contract: the published one
where it has the operation and status, else the one with our additions.
"""

import importlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.backend import Backend
from bedplate.composition import compose
from bedplate.database import Database
from bedplate.database_state import migrations_of
from bedplate.settings import DatabaseSettings, Environment, Settings
from bedplate.testing.client import Client
from bedplate.testing.conformance import ConformanceJudge
from bedplate.testing.databases import Migrate, TemplateDatabase, TemplateFile, migrate_by
from bedplate.testing.lifespan import running
from bedplate.testing.postgres import PostgresServer

SERVICES = ("central-sequence", "characters", "scripts", "session-context", "story-factory")

Services = Mapping[str, Client]
SettingsOf = Callable[..., Settings]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]
UrlOf = Callable[[str], str]


@cache
def backend_of(name: str) -> Backend:
    """Return the declaration of a service."""
    module = importlib.import_module(f"fountain.{name.replace('-', '_')}.backend")
    result: Backend = module.backend
    return result


@cache
def judge_of(name: str) -> ConformanceJudge:
    """Return the judge of a service's responses, created once."""
    binding = backend_of(name).contract
    assert binding is not None
    return ConformanceJudge(binding.load())


@cache
def migration(name: str) -> Migrate:
    """Return what brings an empty database to the schema of a service."""
    return migrate_by(migrations_of(backend_of(name)))


@pytest.fixture
def sqlite_url_of(template_file_of: Callable[[Migrate], TemplateFile], tmp_path: Path) -> UrlOf:
    """Give a function that returns the URL of the test's own SQLite database of a service."""

    @cache
    def url_of(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        return template_file_of(migration(name)).clone(folder)

    return url_of


@pytest.fixture
def postgres_url_of(
    template_database_of: Callable[[Migrate], TemplateDatabase], postgres_server: PostgresServer
) -> Iterator[UrlOf]:
    """Give a function that returns the URL of the test's own PostgreSQL database of a service."""
    urls: dict[str, str] = {}

    def url_of(name: str) -> str:
        if name not in urls:
            urls[name] = template_database_of(migration(name)).clone()
        return urls[name]

    yield url_of
    for url in urls.values():
        postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def url_of(request: pytest.FixtureRequest) -> UrlOf:
    """Run the test on SQLite and on PostgreSQL; give the `url_of` function of each."""
    name = "sqlite_url_of" if request.param == "sqlite" else "postgres_url_of"
    url_of: UrlOf = request.getfixturevalue(name)
    return url_of


@pytest.fixture
def settings_of(url_of: UrlOf) -> SettingsOf:
    """Give a function that returns a service's settings for the test's database, with changes."""

    def settings_of(name: str, **changes: object) -> Settings:
        backend = backend_of(name)
        fields: dict[str, Any] = {"environment": Environment.TEST, **changes}
        if backend.metadata is not None:
            fields = {
                "database_url": SecretStr(url_of(name)),
                "database_auto_migrate": False,
                **fields,
            }
        return backend.settings(_env_file=None, **fields)

    return settings_of


@pytest.fixture
def open_database(settings_of: SettingsOf) -> OpenDatabase:
    """Give a function that opens the test's own connection to the database of a service."""

    def open_database(name: str) -> AbstractAsyncContextManager[Database]:
        settings = settings_of(name)
        assert isinstance(settings, DatabaseSettings)
        return Database.open(settings)

    return open_database


@pytest.fixture
def open_services(settings_of: SettingsOf) -> OpenServices:
    """Give a function that runs services in one process and yields a client of each by name.

    `open_services("scripts", scripts={"sequence_url": url})` changes settings of a service.
    """

    @asynccontextmanager
    async def open_services(*names: str, **changes: dict[str, object]) -> AsyncIterator[Services]:
        settings = {
            name: settings_of(name, **changes.get(name.replace("-", "_"), {})) for name in names
        }
        app = compose([backend_of(name) for name in names], settings, registry=CollectorRegistry())
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(running(app))
            transport = httpx2.ASGITransport(with_state(app, state))
            clients = {name: client_of(name, transport=transport) for name in names}
            for client in clients.values():
                await stack.enter_async_context(client)
            yield clients

    return open_services


def with_state(app: ASGIApp, state: Mapping[str, Any]) -> ASGIApp:
    """Return an application whose requests come with its lifespan's state, as a server gives it."""

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return with_state


def client_of(name: str, **options: Any) -> Client:
    """Return a client of a service whose every answer is judged."""
    judge = judge_of(name)

    async def hold_against_the_contract(response: httpx2.Response) -> None:
        request, kind = response.request, response.headers.get("content-type")
        body = await response.aread()
        result = judge.violations(
            request.method, request.url.path, response.status_code, kind, body
        )
        assert not result, result

    hooks = {"response": [hold_against_the_contract]}
    # At a host name that begins with its name a service is at the root.
    return Client(**{"base_url": f"http://{name}.localhost", "event_hooks": hooks, **options})


@pytest.fixture
def connect() -> Callable[..., Client]:
    """Give a function that returns a judged client of a service: `connect("scripts", url)`."""

    def connect(name: str, url: str, **options: Any) -> Client:
        return client_of(name, base_url=url, timeout=60, trust_env=False, **options)

    return connect


@pytest.fixture
async def services(open_services: OpenServices) -> AsyncIterator[Services]:
    """Give a client of each of the five services, all in one process."""
    async with open_services(*SERVICES) as clients:
        yield clients


@pytest.fixture
async def sequence_api(open_services: OpenServices) -> AsyncIterator[Client]:
    """Give a client of the sequence service."""
    async with open_services("central-sequence") as clients:
        yield clients["central-sequence"]


@pytest.fixture
async def characters_api(open_services: OpenServices) -> AsyncIterator[Client]:
    """Give a client of the character service."""
    async with open_services("characters") as clients:
        yield clients["characters"]


@pytest.fixture
async def with_scripts(open_services: OpenServices) -> AsyncIterator[Services]:
    """Give the script service and the sequence service, in one process."""
    async with open_services("central-sequence", "scripts") as clients:
        yield clients


@pytest.fixture
def scripts_api(with_scripts: Services) -> Client:
    """Give a client of the script service."""
    return with_scripts["scripts"]


@pytest.fixture
async def with_sessions(open_services: OpenServices) -> AsyncIterator[Services]:
    """Give the session service and the sequence service, in one process."""
    async with open_services("central-sequence", "session-context") as clients:
        yield clients


@pytest.fixture
def sessions_api(with_sessions: Services) -> Client:
    """Give a client of the session service."""
    return with_sessions["session-context"]


class Alone:
    """One service of a composition, as if it were all, and its extended document as its own."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._host = (b"host", f"{name}.localhost".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or run the lifespan."""
        if scope["type"] == "http":
            headers = [self._host, *(item for item in scope["headers"] if item[0] != b"host")]
            scope = {**scope, "headers": headers}
            if scope["path"] == "/openapi.json":
                scope = {**scope, "path": "/openapi.extended.json"}
        await self._app(scope, receive, send)


@pytest.fixture(scope="session")
def alone() -> type[Alone]:
    """Give what makes one service of a composition an application of its own."""
    return Alone


@pytest.fixture
async def written_story(name: str, open_services: OpenServices) -> None:
    """Store script 1, where the service of the test's parameter `name` tells stories of it."""
    if name == "story-factory":
        async with open_services(*SERVICES) as services:
            await write_story(services)


async def write_story(services: Services) -> None:
    """Store script 1: a heading, and someone who says something."""
    bodies = {
        "characters": ("/characters", {"name": "Juliet", "description": "Of Capulet"}),
        "session-context": ("/sessions", {"userId": 1, "context": '{"mood": "wary"}'}),
    }
    for name, (path, body) in bodies.items():
        assert (await services[name].post(path, json=body)).is_success
    words = {"text": "Wherefore art thou Romeo?"}
    assert (await services["characters"].post("/spokenWords", json=words)).is_success
    script = {"title": "Romeo and Juliet", "author": "W. S.", "description": "A play"}
    heading = {"scriptId": 1, "title": "ACT II"}
    element = {"headingId": 1, "characterId": 1, "spokenWordId": 1, "contextId": 1}
    for path, body in (
        ("", script),
        ("/1/sections", heading),
        ("/1/elements", element),
        ("/1/elements", element),
    ):
        answer = await services["scripts"].post(f"/scripts{path}", json=body)
        assert answer.is_success, answer.text
