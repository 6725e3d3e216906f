"""What the tests of live events stand on: a migrated database, the API, and an evening in it.

For annotations: `if TYPE_CHECKING: from backends.live.tests.conftest import Evening, Guest`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bedplate.application import create_app
from bedplate.database import Database, Row, Statement
from bedplate.database_state import migrations_of
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.databases import Migrate, migrate_by
from live.backend import backend
from live.settings import LiveSettings

MakeApp = Callable[..., FastAPI]
Headers = dict[str, str]

API = "/api/v1"
SECRET = SecretStr("5" * 64)
CONFIGS: dict[str, dict[str, Any]] = {
    "poll": {"options": [{"text": "Yes"}, {"text": "No"}]},
    "quiz": {"options": [{"text": "3"}, {"text": "4", "correct": True}]},
    "ranking": {"options": [{"text": "Tea"}, {"text": "Milk"}, {"text": "Soup"}]},
}
"""The configuration of an activity that a test adds without one; their options are a, b, c."""


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    """Give what brings an empty database to the schema of live events."""
    return migrate_by(migrations_of(backend))


@pytest.fixture
def settings(database_url: str) -> LiveSettings:
    """Give settings for the test's database and nothing else of this machine.

    All of a test comes from one address, so wrong tokens and new sessions are limited only where a
    test says so.
    """
    return LiveSettings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(database_url),
        database_auto_migrate=False,
        token_secret=SECRET,
        failed_joins_per_minute=100_000,
        new_sessions_per_minute=100_000,
    )


@pytest.fixture
def make_app(settings: LiveSettings) -> MakeApp:
    """Give what makes the API with changed settings: `make_app(request_timeout_seconds=1)`."""

    def make_app(
        replacements: dict[str, object] | None = None,
        registry: CollectorRegistry | None = None,
        **changes: object,
    ) -> FastAPI:
        changed = settings.model_copy(update=changes)
        registry = registry or CollectorRegistry()
        return create_app(backend, changed, registry=registry, replacements=replacements)

    return make_app


@pytest.fixture
async def database(settings: LiveSettings) -> AsyncIterator[Database]:
    """Give the test's own way to the database."""
    async with Database.open(settings) as opened:
        yield opened


@pytest.fixture
async def api(make_app: MakeApp) -> AsyncIterator[Client]:
    """Give a client of the running API that fails the test on any unannounced 5xx."""
    async with client(make_app()) as opened:
        yield opened


@pytest.fixture
def run_statements(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """Give the list of the statements that every database runs from now on."""
    statements: list[Statement] = []
    run = Database.run

    async def recorded(
        self: Database, connection: object, statement: Statement, values: Row
    ) -> object:
        statements.append(statement)
        return await run(self, connection, statement, values)

    monkeypatch.setattr(Database, "run", recorded)
    return statements


def bearer(token: str) -> Headers:
    """Return the header that a token is sent in."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Guest:
    """A participant: what joining answered, and the header of the token."""

    joined: dict[str, Any]

    @property
    def id(self) -> str:
        """The participant's id."""
        return str(self.joined["id"])

    @property
    def nickname(self) -> str:
        """The name that the participant got."""
        return str(self.joined["nickname"])

    @property
    def headers(self) -> Headers:
        """The header of the participant's token."""
        return bearer(self.joined["token"])


@dataclass(frozen=True)
class Evening:
    """A session, and what its host and its guests do. Whatever isn't accepted fails the test."""

    api: Client
    session: dict[str, Any]
    host: Headers
    """The header of the host's token."""

    @classmethod
    async def create(cls, api: Client, host: Headers | None = None, **fields: object) -> Self:
        """Create a draft with these fields, for a new host or for one that is there."""
        body = {"title": "Evening", **fields}
        made = _accepted(await api.post(f"{API}/sessions", json=body, headers=host))
        return cls(api, made, host or bearer(made["host_token"]))

    @property
    def id(self) -> str:
        """The session's id."""
        return str(self.session["id"])

    @property
    def code(self) -> str:
        """The join code."""
        return str(self.session["code"])

    @property
    def path(self) -> str:
        """The session's path."""
        return f"{API}/sessions/{self.id}"

    def responses(self, activity: dict[str, Any]) -> str:
        """Return the path of an activity's responses."""
        return f"{API}/activities/{activity['id']}/responses"

    async def get(self) -> dict[str, Any]:
        """Return the session as the host sees it now."""
        return _accepted(await self.api.get(self.path, headers=self.host))

    async def start(self) -> None:
        """Start the session."""
        await self.do("start")

    async def complete(self) -> None:
        """Complete the session."""
        await self.do("complete")

    async def do(self, what: str, body: object = None, **options: Any) -> dict[str, Any]:
        """Post something as the host, such as `start` or `activities/{id}/reveal`."""
        headers = options.pop("headers", self.host)
        response = await self.api.post(f"{self.path}/{what}", json=body, headers=headers, **options)
        return _accepted(response)

    async def join(self, nickname: str | None = None, **headers: str) -> Guest:
        """Join as a new participant."""
        body = {"code": self.code, "nickname": nickname}
        return Guest(await self.do("participants", body, headers=headers))

    async def join_many(self, number: int) -> list[Guest]:
        """Join as so many participants, Guest 1 and so on, one after the other."""
        return [await self.join(f"Guest {each}") for each in range(1, number + 1)]

    async def link(self, role: str) -> Headers:
        """Make a link of a role, and return the header of its token."""
        return bearer((await self.do("links", {"role": role}))["token"])

    async def add(self, type: str, **fields: Any) -> dict[str, Any]:  # noqa: A002
        """Add an activity."""
        config = CONFIGS.get(type, {})
        return await self.do(
            "activities", {"type": type, "title": type, "config": config, **fields}
        )

    async def open_(self, activity: dict[str, Any], **body: object) -> dict[str, Any]:
        """Open an activity."""
        return await self.do(f"activities/{activity['id']}/open", body or None)

    async def add_open(self, type: str, **fields: Any) -> dict[str, Any]:  # noqa: A002
        """Add an activity and open it."""
        return await self.open_(await self.add(type, **fields))

    async def close(self, activity: dict[str, Any]) -> dict[str, Any]:
        """Close an activity."""
        return await self.do(f"activities/{activity['id']}/close")

    async def reveal(self, activity: dict[str, Any]) -> dict[str, Any]:
        """Reveal an activity."""
        return await self.do(f"activities/{activity['id']}/reveal")

    async def answer(
        self, guest: Guest, activity: dict[str, Any], **answer: object
    ) -> dict[str, Any]:
        """Answer as a guest: `answer(ann, poll, choices=["a"])`."""
        return _accepted(
            await self.api.put(
                self.responses(activity), json={"answer": answer}, headers=guest.headers
            )
        )

    async def results(
        self, activity: dict[str, Any], headers: Headers | None = None
    ) -> dict[str, Any]:
        """Return the results as somebody sees them: the host, unless others are named."""
        path = f"{API}/activities/{activity['id']}/results"
        return _accepted(await self.api.get(path, headers=headers or self.host))


def _accepted(response: httpx2.Response) -> dict[str, Any]:
    """Return the body of a response, which must be a success."""
    assert response.is_success, response.text
    body: dict[str, Any] = response.json() if response.content else {}
    return body


@pytest.fixture
async def make_evening(api: Client) -> Callable[..., Awaitable[Evening]]:
    """Give what makes a draft with some fields, for a new host or the host of a header."""

    async def make_evening(host: Headers | None = None, **fields: object) -> Evening:
        return await Evening.create(api, host, **fields)

    return make_evening


@pytest.fixture
async def evening(api: Client) -> Evening:
    """Give a started session."""
    made = await Evening.create(api)
    await made.start()
    return made


@pytest.fixture(scope="session")
def create_evening() -> Callable[..., Awaitable[Evening]]:
    """Give what makes a draft by a client of any server."""
    return Evening.create
