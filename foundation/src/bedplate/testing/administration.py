"""Creates and drops databases of a PostgreSQL server, also from code inside an event loop."""

import asyncio
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_NAME = re.compile(r"[\w-]+", re.ASCII)


class Administration:
    """Creates and drops the databases of the server with this maintenance URL.

    Its methods block for some tens of milliseconds; they also work inside an event loop.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = parts._replace(scheme=parts.scheme.partition("+")[0]).geturl()

    def create(self, template: str | None = None, *, by_files: bool = False) -> str:
        """Create a database, empty or as a copy of the one at the URL `template`; return its URL.

        `by_files` copies the template's files, which is quicker where they are in memory.
        """
        name = f"test_{secrets.token_hex(8)}"
        source = "" if template is None else f' TEMPLATE "{_database(template)}"'
        strategy = " STRATEGY FILE_COPY" if source and by_files else ""
        self._execute(f'CREATE DATABASE "{name}"{source}{strategy}')
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def drop(self, url: str) -> None:
        """Drop the database with this URL and disconnect its clients."""
        self._execute(f'DROP DATABASE IF EXISTS "{_database(url)}" WITH (FORCE)')

    def seal(self, url: str) -> None:
        """Disconnect all clients of the database with this URL, and refuse new ones.

        PostgreSQL copies a template only while no client is connected to it.
        """
        name = _database(url)
        self._execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self._execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # noqa: S608
            f" WHERE datname = '{name}'"
        )

    def _execute(self, statement: str) -> None:
        # In a thread of its own, since the caller's may run an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _execute(self._url, statement)).result()


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
