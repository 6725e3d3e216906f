"""The migrations of each service: up from nothing to what its models say, and down to nothing."""

from collections.abc import AsyncIterator
from importlib import import_module

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, inspect

from bedplate.backend import Backend
from bedplate.database import Database
from bedplate.database.identities import reusable_identities
from bedplate.database_state import migrations_of
from bedplate.settings import DatabaseSettings

TABLES = {
    "central_sequence": {"sequence_counter", "sequence_elements", "sequence_versions"},
    "characters": {
        "characters",
        "character_paraphrases",
        "actions",
        "action_paraphrases",
        "spoken_words",
        "spoken_word_paraphrases",
    },
    "scripts": {"scripts", "section_headings", "script_elements"},
    "session_context": {"sessions"},
}


@pytest.fixture(params=sorted(TABLES))
def package(request: pytest.FixtureRequest) -> str:
    """Run the test for each service that stores."""
    name: str = request.param
    return name


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    """Give an empty database of each kind."""
    settings = DatabaseSettings(_env_file=None, database_url=SecretStr(database_url))
    async with Database.open(settings) as database:
        yield database


def test_no_identity_is_given_twice(package: str) -> None:
    """A client that still has a deleted row's id never meets another row there."""
    backend: Backend = import_module(f"fountain.{package}.backend").backend
    assert backend.metadata is not None
    assert reusable_identities(backend.metadata) == []


async def tables(database: Database) -> set[str]:
    """Return the names of all tables."""

    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    async with database.engine.connect() as connection:
        return await connection.run_sync(names) - {"sqlite_sequence"}


async def test_they_go_up_and_down(empty: Database, package: str) -> None:
    """From nothing to the models' schema, and back to nothing, twice."""
    backend: Backend = import_module(f"fountain.{package}.backend").backend
    migrations = migrations_of(backend)
    assert migrations is not None
    for _ in range(2):
        await migrations.upgrade(empty.engine)
        assert await migrations.missing(empty.engine) == []
        assert await migrations.differences(empty.engine) == []
        own = await tables(empty)
        (version,) = own - TABLES[package]
        assert version.endswith("_alembic_version")
        await migrations.downgrade(empty.engine, "base")
        assert await tables(empty) == {version}
