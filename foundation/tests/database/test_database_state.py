"""What a start does to its database."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData

from bedplate.application import state_class_of
from bedplate.backend import Backend
from bedplate.database import Database, DatabaseUnavailable
from bedplate.database_state import migrations_check, migrations_of, prepare_database
from bedplate.settings import DatabaseSettings, Environment
from bedplate.state import State

OpenDatabase = Callable[..., Awaitable[Database]]
Logs = list[dict[str, Any]]

MIGRATION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "first", None, None, None
def upgrade():
    op.execute("CREATE TABLE visits (id int)")
def downgrade():
    op.drop_table("visits")
"""


class Prepared:
    """A backend's own preparation, that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, _: DatabaseSettings, __: Database) -> None:
        """Count."""
        self.runs += 1


@pytest.fixture(name="prepared")
def _prepared() -> Prepared:
    return Prepared()


@pytest.fixture(name="backend")
def _backend(tmp_path: Path, prepared: Prepared) -> Backend:
    (tmp_path / "2026-01-01_first.py").write_text(MIGRATION)
    return Backend(
        name="larks",
        title="Larks",
        settings=DatabaseSettings,
        routers=[],
        metadata=MetaData(),
        migrations=tmp_path,
        prepare=prepared,
    )


async def prepare(backend: Backend, database: Database, url: str, **settings: Any) -> str | None:
    """Prepare as a start does, and return where the database stands then."""
    read = DatabaseSettings(database_url=SecretStr(url), **settings)
    await prepare_database(backend, read, database)
    migrations = migrations_of(backend)
    assert migrations is not None
    return await migrations.current(database.engine)


@pytest.mark.parametrize("environment", [Environment.DEVELOPMENT, Environment.TEST])
async def test_outside_of_production_it_migrates_by_itself(
    open_database: OpenDatabase,
    database_url: str,
    backend: Backend,
    prepared: Prepared,
    environment: Environment,
) -> None:
    """And runs the backend's own preparation, at every start."""
    database = await open_database(database_url)
    for runs in (1, 2):
        assert await prepare(backend, database, database_url, environment=environment) == "first"
        assert prepared.runs == runs


async def test_production_only_says_what_is_missing(
    open_database: OpenDatabase,
    postgres_url: str,
    backend: Backend,
    prepared: Prepared,
    captured_logs: Logs,
) -> None:
    """With the command that runs it; when nothing is missing it says nothing."""
    database = await open_database(postgres_url)
    production = {"environment": Environment.PRODUCTION}
    assert await prepare(backend, database, postgres_url, **production) is None
    [line] = [entry for entry in captured_logs if entry["event"] == "migrations_missing"]
    assert (line["missing"], line["run"]) == (["first"], "bedplate db upgrade larks")
    captured_logs.clear()
    migrate = production | {"database_auto_migrate": True}
    assert await prepare(backend, database, postgres_url, **migrate) == "first"
    assert await prepare(backend, database, postgres_url, **production) == "first"
    assert not [entry for entry in captured_logs if entry["event"].startswith("migrations_")]
    assert prepared.runs == 0


async def test_missing_migrations_end_readiness(
    open_database: OpenDatabase, postgres_url: str, backend: Backend
) -> None:
    """Until somebody has run them: each request would be a 500."""
    settings = DatabaseSettings(
        _env_file=None, database_url=SecretStr(postgres_url), database_auto_migrate=False
    )
    database = await open_database(postgres_url)
    check = migrations_check(backend, settings, database)
    assert check is not None
    assert await check() is False
    migrations = migrations_of(backend)
    assert migrations is not None
    await migrations.upgrade(database.engine)
    assert await check() is True
    by_itself = settings.model_copy(update={"database_auto_migrate": True})
    assert migrations_check(backend, by_itself, database) is None


async def test_production_starts_with_an_older_code_than_its_database(
    open_database: OpenDatabase, postgres_url: str, backend: Backend, captured_logs: Logs
) -> None:
    """A roll-back of the code must be able to start; the log says what it found."""
    database = await open_database(postgres_url)
    await prepare(backend, database, postgres_url)
    assert backend.migrations is not None
    (backend.migrations / "2026-01-01_first.py").unlink()
    await prepare(backend, database, postgres_url, environment=Environment.PRODUCTION)
    [line] = [entry for entry in captured_logs if entry["event"] == "migrations_unknown"]
    assert "stands at first" in line["error"]


async def test_production_starts_without_its_database(
    open_database: OpenDatabase, backend: Backend, captured_logs: Logs
) -> None:
    """It is not ready, but it is there, and works when the database comes."""
    url = "postgresql://nobody@127.0.0.1:1/none"
    database = await open_database(url)
    settings = DatabaseSettings(database_url=SecretStr(url), environment=Environment.PRODUCTION)
    await prepare_database(backend, settings, database)
    [line] = [entry for entry in captured_logs if entry["event"] == "database_away_at_start"]
    assert line["backend"] == "larks"
    with pytest.raises(DatabaseUnavailable):
        await database.ping()


async def test_a_backend_that_stores_nothing_needs_nothing() -> None:
    """No database is looked for."""
    backend = Backend(name="larks", title="Larks", settings=DatabaseSettings, routers=[])
    assert migrations_of(backend) is None
    assert state_class_of(backend) is State
