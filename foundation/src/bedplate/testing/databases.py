"""Databases with a schema: migrated once per test worker, then copied for each test."""

import asyncio
import shutil
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from bedplate.database import Database, Migrations
from bedplate.settings import DatabaseSettings
from bedplate.testing import watchdog
from bedplate.testing.postgres import PostgresServer

Migrate = Callable[[str], Awaitable[None]]
"""Migrates the empty database at a URL and disconnects; runs in an event loop of its own."""

_SQLITE_PREFIX = "sqlite+aiosqlite:///"


class _Template(ABC):
    """A database that is migrated when a copy of it is first needed."""

    def __init__(self, migrate: Migrate) -> None:
        self._migrate = migrate
        self._url: str | None = None

    def close(self) -> None:
        """Remove the template; the clones stay."""
        if self._url is not None:
            self._remove(self._url)
            self._url = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self) -> str:
        """Return the URL of the migrated database."""
        if self._url is None:
            url = self._create()
            try:
                self._fill(url)
            except BaseException:
                self._remove(url)
                raise
            self._url = url
        return self._url

    def _fill(self, url: str) -> None:
        async def migrate() -> None:
            await self._migrate(url)

        # In a thread of its own, since the caller's may run an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, migrate()).result()

    @abstractmethod
    def _create(self) -> str:
        """Create an empty database and return its URL."""

    @abstractmethod
    def _remove(self, url: str) -> None:
        """Remove the database with this URL."""


class TemplateDatabase(_Template):
    """A PostgreSQL database that is migrated when first needed, and cloned in about 65 ms."""

    def __init__(self, server: PostgresServer, migrate: Migrate) -> None:
        super().__init__(migrate)
        self._server = server

    def clone(self) -> str:
        """Create a database with the schema and return its URL. It blocks."""
        return self._server.create_database(self._ready())

    def drop(self, url: str) -> None:
        """Drop the clone with this URL."""
        self._server.drop_database(url)

    def _create(self) -> str:
        return self._server.create_database()

    def _fill(self, url: str) -> None:
        super()._fill(url)
        self._server.seal_database(url)

    def _remove(self, url: str) -> None:
        self._server.drop_database(url)


class TemplateFile(_Template):
    """A SQLite database that is migrated when it is first needed, and then copied."""

    def clone(self, folder: Path) -> str:
        """Create a database with the schema in `folder` and return its URL."""
        source, target = _path(self._ready()), folder / "test.db"
        # Not a copy of the file: some pages may still be in the write-ahead log.
        with closing(sqlite3.connect(source)) as template, closing(sqlite3.connect(target)) as copy:
            template.backup(copy)
        return f"{_SQLITE_PREFIX}{target}"

    def _create(self) -> str:
        folder = Path(tempfile.mkdtemp(prefix="bedplate-sqlite-"))
        watchdog.remove_later(folder)
        return f"{_SQLITE_PREFIX}{folder / 'template.db'}"

    def _remove(self, url: str) -> None:
        shutil.rmtree(_path(url).parent)


def migrate_by(migrations: Migrations | None) -> Migrate:
    """Return what migrates a database: `migrate_by(migrations_of(backend))`. None: ValueError."""
    if migrations is None:
        raise ValueError("The backend has no migrations.")

    async def migrate(url: str) -> None:
        settings = DatabaseSettings(_env_file=None, database_url=SecretStr(url))
        async with Database.open(settings) as database:
            await migrations.upgrade(database.engine)

    return migrate


def _path(url: str) -> Path:
    return Path(url.removeprefix(_SQLITE_PREFIX))
