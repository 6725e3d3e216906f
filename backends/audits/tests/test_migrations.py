"""The migrations: up, down, equal to the models, and rights that keep the trail unchanged."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from audits.backend import backend
from audits.log.chain import Chains
from audits.records import maintenance
from audits.records.exceptions import OwnerNeeded
from audits.records.schemas import AuditNew
from audits.records.service import Skew, Trail, add_partitions
from audits.settings import AuditsSettings
from bedplate import clock
from bedplate.database import Database, Migrations
from bedplate.database.identities import reusable_identities
from bedplate.database_state import migrations_of
from bedplate.testing.clock import SettableClock
from bedplate.testing.postgres import PostgresServer

RUNTIME = "audits_runtime"
NEW = AuditNew(action_type="create", entity_type="invoice", status="pending")
UNCHANGED = (
    "audit",
    "audit_private",
    "audit_key",
    "log_append",
    "log_tile",
    "log_checkpoint",
    "log_cosignature",
    "log_pruning",
)


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    """Give an empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('database')}/empty.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    async with Database.open(AuditsSettings(_env_file=None, database_url=SecretStr(url))) as opened:
        yield opened
    if request.param == "postgresql":
        server.drop_database(url)


@pytest.fixture
def migrations() -> Migrations:
    """Give the migrations of the trail."""
    found = migrations_of(backend)
    assert found is not None
    return found


def test_no_identity_is_given_twice() -> None:
    """A client that still has a deleted row's id never meets another row there."""
    assert backend.metadata is not None
    assert reusable_identities(backend.metadata) == []


async def tables(database: Database) -> set[str]:
    """Return the names of all tables."""

    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    async with database.engine.connect() as connection:
        return await connection.run_sync(names)


async def test_they_go_up_and_down(empty: Database, migrations: Migrations) -> None:
    """From nothing to the models' schema, and back to nothing, twice."""
    for _ in range(2):
        await migrations.upgrade(empty.engine)
        assert await migrations.missing(empty.engine) == []
        assert await migrations.differences(empty.engine) == []
        await migrations.downgrade(empty.engine, "base")
        assert await tables(empty) == {"audits_alembic_version"}


@pytest.fixture
async def as_runtime(postgres_url: str) -> AsyncIterator[Database]:
    """Give the migrated database as the role sees it that serves requests in production."""
    name = make_url(postgres_url).database
    login = f"login_{name}"
    async with Database.open(AuditsSettings(database_url=SecretStr(postgres_url))) as owner:
        async with owner.engine.begin() as connection:
            await connection.execute(text(f'CREATE ROLE "{login}" LOGIN IN ROLE {RUNTIME}'))
        url = make_url(postgres_url).set(username=login).render_as_string(hide_password=False)
        async with Database.open(AuditsSettings(database_url=SecretStr(url))) as opened:
            yield opened
        async with owner.engine.begin() as connection:
            await connection.execute(text(f'DROP ROLE "{login}"'))


async def test_the_runtime_role_can_serve(as_runtime: Database) -> None:
    """It records, completes, deletes, reads, and adds partitions for months to come."""
    skew = Skew(timedelta(minutes=5), timedelta(days=30))
    async with Trail(as_runtime, Chains(), skew=skew, sensitive=["user_agent"]) as trail:
        [made] = await trail.create("default", [NEW], owner="a", key="k")
        await trail.complete("default", made["id"], versions=None, status="success", details={})
        await trail.delete("default", made["id"], versions=None)
    async with as_runtime.engine.begin() as connection:
        await connection.execute(text("SELECT audit_add_partition('2031-05-17')"))
        await connection.execute(text("SELECT audit_add_partition('2031-05-31 23:59:59+00')"))
    assert "audit_2031_05" in await tables(as_runtime)


async def test_erasing_as_the_runtime_role_says_who_may(
    as_runtime: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing and pruning need the tables' owner; tried as another role, they say so."""
    skew = Skew(timedelta(minutes=5), timedelta(days=30))
    async with Trail(as_runtime, Chains(), skew=skew, sensitive=["user_agent"]) as trail:
        made = await trail.create("default", [NEW] * 300)
    url = as_runtime.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url.replace("+asyncpg", ""))
    with pytest.raises(OwnerNeeded):
        await maintenance.erase_at("default", made[0]["id"], [])
    with SettableClock() as settable:
        later = made[0]["created_at"] + timedelta(days=40)
        settable.set(later)
        with pytest.raises(OwnerNeeded):
            await maintenance.prune_at(later)


@pytest.mark.parametrize("table", UNCHANGED)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET tenant = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
async def test_the_runtime_role_changes_nothing(
    as_runtime: Database, table: str, statement: str
) -> None:
    """UPDATE, DELETE and TRUNCATE of the trail and its log are refused for want of the right."""
    with pytest.raises(DBAPIError, match="permission denied"):
        async with as_runtime.engine.begin() as connection:
            await connection.execute(text(statement.format(table)))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE audit_other",
        "ALTER TABLE audit DETACH PARTITION audit_other",
        "ALTER FUNCTION audit_refuse_change() OWNER TO CURRENT_USER",
    ],
)
async def test_the_runtime_role_opens_no_way_around(as_runtime: Database, statement: str) -> None:
    """It can neither switch the guards off nor replace them, nor take a partition away."""
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with as_runtime.engine.begin() as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize("action", ["TRUNCATE {}", "DELETE FROM {}", "UPDATE {} SET version = 9"])
async def test_the_owner_changes_no_partition_by_mistake(postgres_url: str, action: str) -> None:
    """Also the tables' owner is refused, in each partition as in the whole."""
    async with Database.open(AuditsSettings(database_url=SecretStr(postgres_url))) as database:
        skew = Skew(timedelta(minutes=5), timedelta(days=30))
        await add_partitions(database)
        async with Trail(database, Chains(), skew=skew) as trail:
            await trail.create("default", [NEW])
        month = f"audit_{clock.now():%Y_%m}"
        for table in ("audit", month, *(["audit_other"] if "TRUNCATE" in action else [])):
            with pytest.raises(DBAPIError, match="is never changed"):
                async with database.engine.begin() as connection:
                    await connection.execute(text(action.format(table)))


async def test_rows_go_into_the_partition_of_their_month(postgres_url: str) -> None:
    """Partitions are added ahead; what came before its partition stays where it is."""
    skew = Skew(timedelta(minutes=5), timedelta(days=30))
    async with Database.open(AuditsSettings(database_url=SecretStr(postgres_url))) as database:
        async with Trail(database, Chains(), skew=skew) as trail:
            await trail.create("default", [NEW])
            await add_partitions(database)
            await add_partitions(database)
            now = clock.now()
            names = {f"audit_{now + timedelta(days=days):%Y_%m}" for days in (31, 62)}
            assert names <= await tables(database)
            await trail.create("default", [NEW])
        async with database.engine.connect() as connection:
            count = await connection.scalar(text("SELECT count(*) FROM audit_other"))
        assert count == 2


async def test_an_acknowledged_record_survives_a_power_cut(settings: AuditsSettings) -> None:
    """SQLite syncs each commit of the trail, as PostgreSQL does; 2 is `FULL`."""
    async with Database.open(settings) as database, database.engine.connect() as connection:
        if database.dialect.name == "sqlite":
            assert await connection.scalar(text("PRAGMA synchronous")) == 2
        else:
            assert await connection.scalar(text("SHOW synchronous_commit")) == "on"
