"""What the tests of the to-do API stand on: a migrated database, the API, signed-in users."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bedplate.application import create_app
from bedplate.auth.tables import create_stand_in
from bedplate.database import Database
from bedplate.database.preparation import migrations_of
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.databases import TemplateDatabase, TemplateFile
from bedplate.testing.postgres import PostgresServer
from tasks import sessions
from tasks.backend import backend
from tasks.settings import TasksSettings

SECRET = SecretStr("5" * 64)

SignIn = Callable[[str], Awaitable[dict[str, str]]]


async def migrate(url: str) -> None:
    """Bring an empty database to the schema of the API and its auth server."""
    async with Database.open(TasksSettings(database_url=SecretStr(url))) as database:
        migrations = migrations_of(backend)
        assert migrations is not None
        await migrations.upgrade(database.engine)
        await create_stand_in(database.engine)


@pytest.fixture(scope="session")
def template_file() -> Iterator[TemplateFile]:
    """Give the migrated SQLite database that tests copy."""
    with TemplateFile(migrate) as template:
        yield template


@pytest.fixture(scope="session")
def template_database(postgres_server: PostgresServer) -> Iterator[TemplateDatabase]:
    """Give the migrated PostgreSQL database that tests copy."""
    with TemplateDatabase(postgres_server, migrate) as template:
        yield template


@pytest.fixture
def sqlite_url(template_file: TemplateFile, tmp_path: Path) -> str:
    """Give a migrated SQLite database of the test's own."""
    return template_file.clone(tmp_path)


@pytest.fixture
def postgres_url(template_database: TemplateDatabase) -> Iterator[str]:
    """Give a migrated PostgreSQL database of the test's own."""
    url = template_database.clone()
    yield url
    template_database.drop(url)


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
def app(settings: TasksSettings) -> FastAPI:
    """Give the API as it is served."""
    return create_app(backend, settings, registry=CollectorRegistry())


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
async def sign_in(database: Database) -> SignIn:
    """Give what signs a user in and returns the header that proves it."""

    async def sign_in(email: str) -> dict[str, str]:
        token = await sessions.sign_in(database, SECRET, email)
        return {"Authorization": f"Bearer {token}"}

    return sign_in


@pytest.fixture
async def ada(sign_in: SignIn) -> dict[str, str]:
    """Give the header of one user."""
    return await sign_in("ada@example.com")
