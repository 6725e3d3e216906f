"""The pytest plugin: fixtures for real servers, databases, time and logs.

pytest loads it in every run, so it imports servers and libraries only when a test uses them.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bedplate.observability.logs import EventDict
    from bedplate.testing.clock import SettableClock
    from bedplate.testing.postgres import PostgresServer
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


@pytest.fixture
def postgres_url(postgres_server: "PostgresServer") -> Iterator[str]:
    """Give the URL of a new, empty PostgreSQL database; it is dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of a new SQLite database in a file."""
    return f"sqlite+aiosqlite:///{tmp_path}/test.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Run the test on SQLite and on PostgreSQL, each time with a new, empty database."""
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


@pytest.fixture(name="captured_logs")
def _captured_logs() -> "Iterator[list[EventDict]]":
    """Give the list of the log entries of the test, each a dict."""
    from bedplate.testing.logs import captured_logs  # noqa: PLC0415

    with captured_logs() as entries:
        yield entries
