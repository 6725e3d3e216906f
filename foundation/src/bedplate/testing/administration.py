"""Making and dropping databases of a PostgreSQL server, from code that may run in an event loop."""

import asyncio
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

_NAME = re.compile(r"[\w-]+", re.ASCII)


class Administration:
    """What makes and drops the databases of the server with this maintenance URL.

    Its methods block, for some tens of milliseconds, also when called in an event loop: the
    fixtures that use them are plain functions.
    """

    def __init__(self, url: str) -> None:
        self._url = _without_driver(url)

    def create(self, template: str | None = None, *, by_files: bool = False) -> str:
        """Make a database, a copy of the one with URL `template` if given; return its URL.

        `by_files` copies its files, which is quicker where they are in memory.
        """
        name = f"test_{secrets.token_hex(8)}"
        source = "" if template is None else f' TEMPLATE "{_database(template)}"'
        if source and by_files:
            source += " STRATEGY FILE_COPY"
        self._execute(f'CREATE DATABASE "{name}"{source}')
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def drop(self, url: str) -> None:
        """Drop the database with this URL, whoever is connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{_database(url)}" WITH (FORCE)')

    def seal(self, url: str) -> None:
        """Disconnect everybody from the database with this URL, and let nobody connect again.

        A database can be a template only while nobody is connected to it.
        """
        name = _database(url)
        self._execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self._execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # noqa: S608
            f" WHERE datname = '{name}'"
        )

    def _execute(self, statement: str) -> None:
        # A thread of its own, because the caller's may be running an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _execute(self._url, statement)).result()


async def _execute(url: str, statement: str) -> None:
    import asyncpg  # noqa: PLC0415 - the pytest plugin must import lightly

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _without_driver(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(scheme=parts.scheme.partition("+")[0]).geturl()


def _database(url: str) -> str:
    name = urlsplit(url).path.removeprefix("/")
    if not _NAME.fullmatch(name):
        raise ValueError("the URL names no database, or one with a name that needs quotes")
    return name
