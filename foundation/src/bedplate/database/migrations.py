"""Migrations: Alembic, one folder and one version table for each backend."""

import io
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bedplate import clock
from bedplate.database.identities import lost_identities
from bedplate.database.revisions import version_table

# It tells at every start which database it found, which nobody asked.
logging.getLogger("alembic.runtime.migration").addFilter(
    lambda record: record.getMessage().startswith("Running")
)
_ENVIRONMENT = Path(__file__).with_name("environment")
_Result = TypeVar("_Result")
_MAX_SLUG_LENGTH = 40
_SQLITE_WAIT_MILLISECONDS = 600_000


@dataclass(frozen=True)
class Migrations:
    """The migrations of one backend.

    `folder` holds the files, named `YYYY-MM-DD_slug.py`; `metadata` is what they lead to. Tables
    outside of `metadata` are somebody else's and are never touched.
    """

    name: str
    metadata: MetaData
    folder: Path

    @property
    def version_table(self) -> str:
        """The table that remembers which migrations ran."""
        return version_table(self.name)

    async def upgrade(self, engine: AsyncEngine, revision: str = "head") -> None:
        """Run the migrations up to `revision`, all or none; two processes at once take turns.

        Raises `CommandError` when there are two newest ones.
        """
        self._scripts()
        await self._with_config(engine, lambda config: command.upgrade(config, revision))

    async def downgrade(self, engine: AsyncEngine, revision: str) -> None:
        """Take migrations back down to `revision` (`-1`: the last one, `base`: all)."""
        await self._with_config(engine, lambda config: command.downgrade(config, revision))

    async def current(self, engine: AsyncEngine) -> str | None:
        """Return the revision that the database stands at, or None before the first."""
        return await self._on_connection(engine, MigrationContext.get_current_revision)

    async def missing(self, engine: AsyncEngine) -> list[str]:
        """Return the revisions that the database lacks. Raises CommandError when it is ahead."""
        scripts = self._scripts()
        current = await self.current(engine)
        try:
            revisions = list(scripts.iterate_revisions("head", current or "base"))
        except RevisionError:
            raise CommandError(
                f"The database of {self.name} stands at {current}, which no migration here has."
            ) from None
        return [script.revision for script in reversed(revisions)]

    async def differences(self, engine: AsyncEngine) -> list[Any]:
        """Return what differs between the database and the models; empty when nothing does."""

        def compare(context: MigrationContext) -> list[Any]:
            connection = context.connection
            lost = lost_identities(connection, self.metadata) if connection is not None else []
            return [*compare_metadata(context, self.metadata), *lost]

        return await self._on_connection(engine, compare)

    async def revision(self, engine: AsyncEngine, message: str) -> Path:
        """Write the next migration file from what differs, and return its path.

        It is named after today and `message`. Raises FileExistsError for an existing name,
        ValueError for a `message` without a word, and CommandError when migrations are missing.
        """
        name = f"{clock.now():%Y-%m-%d}_{_slug(message)}"
        if (self.folder / f"{name}.py").exists():
            raise FileExistsError(f"There is a migration {name} already: choose another message.")

        def write(config: Config) -> Any:
            config.set_main_option("file_template", _option(name))
            return command.revision(config, message=message, autogenerate=True)

        script = await self._with_config(engine, write)
        return Path(script.path)

    def _scripts(self) -> ScriptDirectory:
        """Return the migrations. Raises `CommandError` when there are two newest ones."""
        scripts = ScriptDirectory.from_config(self._config())
        heads = sorted(scripts.get_heads())
        if len(heads) > 1:
            raise CommandError(
                f"{self.name} has {len(heads)} newest migrations, {' and '.join(heads)}: set the "
                "down_revision of one to the other."
            )
        return scripts

    def _config(self) -> Config:
        config = Config(stdout=io.StringIO())
        config.set_main_option("script_location", _option(_ENVIRONMENT))
        config.set_main_option("version_locations", _option(self.folder))
        config.set_main_option("path_separator", "newline")
        config.attributes.update(metadata=self.metadata, version_table=self.version_table)
        return config

    async def _with_config(self, engine: AsyncEngine, run: Callable[[Config], _Result]) -> _Result:
        def with_connection(connection: Connection) -> _Result:
            config = self._config()
            config.attributes.update(connection=connection, owns=self._owns)
            # SQLite needs no lock: its transaction begins as the only writer.
            if connection.dialect.name == "postgresql":
                key = crc32(self.version_table.encode())
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            return run(config)

        async with _migrating(engine) as connection:
            return await connection.run_sync(with_connection)

    async def _on_connection(
        self, engine: AsyncEngine, look: Callable[[MigrationContext], _Result]
    ) -> _Result:
        options = {
            "version_table": self.version_table,
            "include_name": self._owns,
            "compare_type": True,
        }
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda sync: look(MigrationContext.configure(sync, opts=options))
            )

    def _owns(self, _: str | None, kind: str, parents: Any) -> bool:
        """Tell Alembic to leave tables alone that belong to somebody else."""
        return kind != "table" or parents["schema_qualified_table_name"] in self.metadata.tables


def _option(value: Path | str) -> str:
    return str(value).replace("%", "%%")


def _slug(message: str) -> str:
    words = re.findall(r"[a-z0-9]+", message.lower())
    if not words:
        raise ValueError("The message of a migration needs a word.")
    return "_".join(words)[:_MAX_SLUG_LENGTH].rstrip("_")


@asynccontextmanager
async def _migrating(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a transaction that may take hours, as an index may."""
    bounds = (
        _without_command_timeout if engine.dialect.name == "postgresql" else _without_foreign_keys
    )
    async with engine.connect() as connection, bounds(connection), connection.begin():
        if engine.dialect.name == "postgresql":
            # For this transaction: behind a pooler the connection is somebody else's afterwards.
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
        yield connection
        if engine.dialect.name == "sqlite":
            row = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
            if row is not None:
                raise RuntimeError(f"After the migration {row[0]} has rows that refer to nothing.")


@asynccontextmanager
async def _without_command_timeout(connection: AsyncConnection) -> AsyncIterator[None]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    # asyncpg has no public way to do it for one connection.
    driver._config = driver._config._replace(command_timeout=None)  # noqa: SLF001
    try:
        yield
    finally:
        await connection.invalidate()


@asynccontextmanager
async def _without_foreign_keys(connection: AsyncConnection) -> AsyncIterator[None]:
    """Wait long for another process that migrates, and don't enforce foreign keys.

    Alembic replaces a table to change it, and dropping the old one would delete what refers to it.
    """
    bound = await _pragma(connection, "busy_timeout")
    await _pragma(connection, f"busy_timeout = {_SQLITE_WAIT_MILLISECONDS}")
    await _pragma(connection, "foreign_keys = OFF")
    try:
        yield
    finally:
        await _pragma(connection, "foreign_keys = ON")
        await _pragma(connection, f"busy_timeout = {bound}")


async def _pragma(connection: AsyncConnection, words: str) -> Any:
    # Past SQLAlchemy, for in a transaction it would have no effect.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    rows = list(await driver.execute_fetchall(f"PRAGMA {words}"))
    return rows[0][0] if rows else None
