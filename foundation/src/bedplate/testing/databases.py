"""Databases with a schema: migrated once a test worker, then copied for each test."""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from bedplate.testing import watchdog
from bedplate.testing.administration import Administration
from bedplate.testing.postgres import PostgresServer

Migrate = Callable[[str], Awaitable[None]]
"""What brings the empty database with this URL to its schema, and disconnects from it.

It runs in an event loop of its own.
"""

_SQLITE_PREFIX = "sqlite+aiosqlite:///"


class TemplateDatabase:
    """A PostgreSQL database that is migrated when it is first needed, and then cloned.

    A clone of 40 tables takes about 65 ms, whatever the migrations take.
    """

    def __init__(self, server: PostgresServer, migrate: Migrate) -> None:
        """Describe the template; nothing is made yet."""
        self._server = server
        self._migrate = migrate
        self._template: str | None = None

    def clone(self) -> str:
        """Make a database with the schema and return its URL. Blocks, as its server's methods."""
        if self._template is None:
            self._template = self._make()
        return self._server.create_database(self._template)

    def drop(self, url: str) -> None:
        """Drop the clone with this URL."""
        self._server.drop_database(url)

    def close(self) -> None:
        """Drop the template; the clones stay."""
        if self._template is not None:
            self._server.drop_database(self._template)
            self._template = None

    def __enter__(self) -> Self:
        """Return the template."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop the template."""
        self.close()

    def _make(self) -> str:
        url = self._server.create_database()
        try:
            _run(self._migrate, url)
            Administration(self._server.url).seal(url)
        except BaseException:
            self._server.drop_database(url)
            raise
        return url


class TemplateFile:
    """A SQLite database that is migrated when it is first needed, and then copied."""

    def __init__(self, migrate: Migrate) -> None:
        """Describe the template; nothing is made yet."""
        self._migrate = migrate
        self._folder: Path | None = None

    def clone(self, folder: Path) -> str:
        """Make a database with the schema in `folder` and return its URL."""
        if self._folder is None:
            self._folder = self._make()
        target = folder / "test.db"
        # Not a file copy: what is still in the write-ahead log belongs to it.
        with (
            closing(sqlite3.connect(self._folder / "template.db")) as template,
            closing(sqlite3.connect(target)) as copy,
        ):
            template.backup(copy)
        return f"{_SQLITE_PREFIX}{target}"

    def close(self) -> None:
        """Remove the template; the clones stay."""
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        """Return the template."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the template."""
        self.close()

    def _make(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="bedplate-sqlite-"))
        watchdog.remove_later(folder)
        try:
            _run(self._migrate, f"{_SQLITE_PREFIX}{folder / 'template.db'}")
        except BaseException:
            shutil.rmtree(folder)
            raise
        return folder


def _run(migrate: Migrate, url: str) -> None:
    async def run() -> None:
        await migrate(url)

    # A thread of its own, because the caller's may be running an event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
