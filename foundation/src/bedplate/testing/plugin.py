"""The pytest plugin: fixtures for real servers, databases, time and logs.

pytest loads it in every run, so it imports servers and libraries only when a test uses them.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bedplate.observability.logs import EventDict
    from bedplate.testing.clock import SettableClock
    from bedplate.testing.databases import Migrate, TemplateDatabase, TemplateFile
    from bedplate.testing.postgres import PostgresServer
    from bedplate.testing.problems import ProblemOf
    from bedplate.testing.valkey import ValkeyServer


class _EventLoop:
    @pytest.fixture(scope="session")
    @classmethod
    def anyio_backend(cls) -> tuple[str, dict[str, Any]]:
        """Run asynchronous tests on asyncio with uvloop, as the server does (not on Windows)."""
        return "asyncio", {"use_uvloop": sys.platform != "win32"}


def pytest_configure(config: pytest.Config) -> None:
    """Replace anyio's fixture `anyio_backend` by ours."""
    # The last plugin that defines a fixture wins, and this comes after all entry points.
    config.pluginmanager.register(_EventLoop())


@pytest.fixture(scope="session")
def postgres_server() -> "Iterator[PostgresServer]":
    """Give a real PostgreSQL for each test worker, or the server at TEST_DATABASE_URL."""
    from bedplate.testing.postgres import PostgresServer  # noqa: PLC0415

    with PostgresServer.from_environment() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> "Iterator[ValkeyServer]":
    """Give a real Valkey for each test worker, or the server at TEST_REDIS_URL."""
    from bedplate.testing.valkey import ValkeyServer  # noqa: PLC0415

    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    with ValkeyServer.from_environment(worker) as server:
        yield server


@pytest.fixture(scope="session")
def migrate_database() -> "Migrate | None":
    """Give None, so that new databases are empty.

    A conftest overrides it, for the session: `return migrate_by(migrations_of(backend))`.
    """
    return None


@pytest.fixture(scope="session")
def template_database_of(
    postgres_server: "PostgresServer",
) -> "Iterator[Callable[[Migrate], TemplateDatabase]]":
    """Give what returns the PostgreSQL database to copy, which a function migrated once."""
    from bedplate.testing.databases import TemplateDatabase  # noqa: PLC0415

    with ExitStack() as stack:
        yield cache(lambda migrate: stack.enter_context(TemplateDatabase(postgres_server, migrate)))


@pytest.fixture(scope="session")
def template_file_of() -> "Iterator[Callable[[Migrate], TemplateFile]]":
    """Give what returns the SQLite database to copy, which a function migrated once."""
    from bedplate.testing.databases import TemplateFile  # noqa: PLC0415

    with ExitStack() as stack:
        yield cache(lambda migrate: stack.enter_context(TemplateFile(migrate)))


@pytest.fixture
def postgres_url(
    postgres_server: "PostgresServer",
    migrate_database: "Migrate | None",
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """Give the URL of a new PostgreSQL database; it is dropped after the test.

    It is empty, or has the schema of `migrate_database`.
    """
    if migrate_database is None:
        url = postgres_server.create_database()
    else:
        url = request.getfixturevalue("template_database_of")(migrate_database).clone()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def sqlite_url(
    tmp_path: Path, migrate_database: "Migrate | None", request: pytest.FixtureRequest
) -> str:
    """Give the URL of a new SQLite database in a file, empty or with a schema: `postgres_url`."""
    if migrate_database is None:
        return f"sqlite+aiosqlite:///{tmp_path}/test.db"
    url: str = request.getfixturevalue("template_file_of")(migrate_database).clone(tmp_path)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Run the test on SQLite and on PostgreSQL, each time with a new database."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def redis_url(valkey_server: "ValkeyServer") -> str:
    """Give the URL of an empty Redis database."""
    valkey_server.flush()
    return valkey_server.url


@pytest.fixture
def clock() -> "Iterator[SettableClock]":
    """Give the process's clock, which stands still until the test advances it."""
    from bedplate.testing.clock import SettableClock  # noqa: PLC0415

    with SettableClock() as settable:
        yield settable


@pytest.fixture(name="recorded_disk")
def _recorded_disk() -> "Iterator[list[tuple[str, ...]]]":
    """Give the list of the calls that sync, rename and remove files, in their order."""
    from bedplate.testing.disk import recorded_disk  # noqa: PLC0415

    with recorded_disk() as calls:
        yield calls


@pytest.fixture(name="captured_logs")
def _captured_logs() -> "Iterator[list[EventDict]]":
    """Give the list of the log entries of the test, each a dict."""
    from bedplate.testing.logs import captured_logs  # noqa: PLC0415

    with captured_logs() as entries:
        yield entries


@pytest.fixture(name="problem_of", scope="session")
def _problem_of() -> "ProblemOf":
    """Give what returns the problem document of a response: `problem_of(response, 404)["code"]`."""
    from bedplate.testing.problems import problem_of  # noqa: PLC0415

    return problem_of
