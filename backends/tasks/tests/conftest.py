"""What the tests of the to-do API stand on: a migrated database, the API, signed-in users."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import insert, select

from bedplate import clock
from bedplate.application import create_app
from bedplate.auth.tables import create_stand_in
from bedplate.database import Database, Row, Statement
from bedplate.database_state import migrations_of
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.databases import Migrate, TemplateDatabase, migrate_by
from bedplate.testing.postgres import PostgresServer
from bedplate.testing.processes import free_port
from tasks import service
from tasks.backend import backend
from tasks.models import Task
from tasks.settings import TasksSettings

SECRET = SecretStr("5" * 64)

EVERY_TASK = Statement(
    select(
        Task.id, Task.user_id, Task.title, Task.description, Task.completed, Task.version
    ).order_by(Task.id)
)

SignIn = Callable[[str], Awaitable[dict[str, str]]]
MakeApp = Callable[..., FastAPI]
AddTask = Callable[..., Awaitable[dict[str, Any]]]
Stored = Callable[[], Awaitable[list[Row]]]


async def migrate(url: str) -> None:
    """Bring an empty database to the schema of the API and its auth server."""
    await migrate_by(migrations_of(backend))(url)
    async with Database.open(TasksSettings(database_url=SecretStr(url))) as database:
        await create_stand_in(database.engine)


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    """Give what brings an empty database to the schema of the API and its auth server."""
    return migrate


@pytest.fixture
def settings(database_url: str) -> TasksSettings:
    """Give settings for the test's database and nothing else of this machine."""
    return TasksSettings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(database_url),
        database_auto_migrate=False,
        session_hash_secret=SECRET,
    )


@pytest.fixture
def make_app(settings: TasksSettings) -> MakeApp:
    """Give what makes the API with changed settings: `make_app(request_timeout_seconds=1)`."""

    def make_app(**changes: object) -> FastAPI:
        changed = settings.model_copy(update=changes)
        return create_app(backend, changed, registry=CollectorRegistry())

    return make_app


@pytest.fixture
def app(make_app: MakeApp) -> FastAPI:
    """Give the API as it is served."""
    return make_app()


@pytest.fixture
def app_without_limits(make_app: MakeApp) -> FastAPI:
    """Give the API without rate limits: its Redis is away, and then it may let everything pass."""
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")
    return make_app(redis_url=nowhere, rate_limit_on_failure="allow")


@pytest.fixture
async def database(settings: TasksSettings) -> AsyncIterator[Database]:
    """Give the test's own way to the database."""
    async with Database.open(settings) as opened:
        yield opened


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Client]:
    """Give a client of the running API that fails the test on any unannounced 5xx."""
    async with client(app) as opened:
        yield opened


@pytest.fixture
async def unlimited_api(app_without_limits: FastAPI) -> AsyncIterator[Client]:
    """Give a client as `api` is one, of the API without rate limits."""
    async with client(app_without_limits) as opened:
        yield opened


@pytest.fixture
async def add_task(api: Client) -> AddTask:
    """Give what adds a task with some fields for a user, and returns it."""

    async def add_task(user: dict[str, str], **fields: object) -> dict[str, Any]:
        response = await api.post("/tasks", json={"title": "Milk", **fields}, headers=user)
        assert response.status_code == 201, response.text
        task: dict[str, Any] = response.json()
        return task

    return add_task


@pytest.fixture
async def stored(database: Database) -> Stored:
    """Give what reads every stored task, with its version, by id."""

    async def stored() -> list[Row]:
        return await database.read().all(EVERY_TASK)

    return stored


@pytest.fixture
async def sign_in(database: Database) -> SignIn:
    """Give what signs a user in and returns the header that proves it."""

    async def sign_in(email: str) -> dict[str, str]:
        async with database.write() as session:
            token = await service.sign_in(session, SECRET, email)
        return {"Authorization": f"Bearer {token}"}

    return sign_in


@pytest.fixture
async def ada(sign_in: SignIn) -> dict[str, str]:
    """Give the header of one user."""
    return await sign_in("ada@example.com")


@pytest.fixture
async def grace(sign_in: SignIn) -> dict[str, str]:
    """Give the header of another user."""
    return await sign_in("grace@example.com")


@pytest.fixture
async def add_many(database: Database) -> Callable[[str, int], Awaitable[None]]:
    """Give what stores many tasks of one user at once, each newer than all before."""

    async def add_many(user_id: str, count: int) -> None:
        newest = clock.now() + timedelta(hours=1)
        rows = [
            {
                "user_id": user_id,
                "title": f"Task {number}",
                "created_at": newest + timedelta(seconds=number),
                "updated_at": newest,
            }
            for number in range(count)
        ]
        async with database.engine.begin() as connection:
            await connection.execute(insert(Task), rows)

    return add_many


@pytest.fixture
def mortal_postgres() -> Iterator[tuple[PostgresServer, str]]:
    """Give a PostgreSQL of the test's own, which it may kill, and a migrated database in it."""
    with PostgresServer() as server:
        yield server, TemplateDatabase(server, migrate).clone()
