"""`bedplate db`, on SQLite and on PostgreSQL."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bedplate.cli.main import main
from bedplate.testing.processes import free_port

Captured = pytest.CaptureFixture[str]
REVISION = "2026_11_21_create_larknotes"


@pytest.fixture
def url(backends: list[Path], database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let `larknotes` store in a new, empty database."""
    monkeypatch.setenv("LARKNOTES_DATABASE_URL", database_url)
    return database_url


def execute(url: str, statement: str) -> None:
    """Run a statement beside the migrations."""

    async def run() -> None:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(run())


@pytest.mark.usefixtures("url")
def test_up_and_down_and_up_again(capsys: Captured) -> None:
    """Each command says where the database stands afterwards."""
    assert main(["db", "current", "larknotes"]) == 0
    assert capsys.readouterr().out == "larknotes: before the first migration, 1 missing\n"
    assert main(["db", "upgrade", "larknotes"]) == 0
    assert capsys.readouterr().out == f"larknotes: {REVISION}, the newest\n"
    assert main(["db", "downgrade", "larknotes"]) == 0
    assert capsys.readouterr().out == "larknotes: before the first migration, 1 missing\n"
    assert main(["db", "upgrade", "larknotes", "--revision", REVISION]) == 0
    assert capsys.readouterr().out == f"larknotes: {REVISION}, the newest\n"


def test_check_tells_missing_from_different(url: str, capsys: Captured) -> None:
    """`check` fails while migrations are missing, and when the models differ; it says which."""
    assert main(["db", "check", "larknotes"]) == 1
    assert f"larknotes: missing migrations {REVISION}" in capsys.readouterr().err
    main(["db", "upgrade", "larknotes"])
    assert main(["db", "check", "larknotes"]) == 0
    execute(url, "ALTER TABLE larknotes ADD COLUMN extra INTEGER")
    execute(url, "CREATE TABLE of_somebody_else (id INTEGER)")
    capsys.readouterr()
    assert main(["db", "check", "larknotes"]) == 1
    assert "differ from the database (remove_column larknotes.extra)" in capsys.readouterr().err


def test_a_revision_is_written_from_what_differs(
    url: str, backends: list[Path], capsys: Captured
) -> None:
    """The new file bears date and message, and leads back to the models."""
    main(["db", "upgrade", "larknotes"])
    execute(url, "ALTER TABLE larknotes ADD COLUMN extra INTEGER")
    capsys.readouterr()
    assert main(["db", "revision", "larknotes", "-m", "Drop extra"]) == 0
    path = Path(capsys.readouterr().out.partition(": ")[0])
    try:
        assert path.name.endswith("_drop_extra.py")
        assert path.parent == backends[0] / "larknotes" / "migrations" / "versions"
        assert main(["db", "upgrade", "larknotes"]) == 0
        assert main(["db", "check", "larknotes"]) == 0
    finally:
        path.unlink()


@pytest.mark.usefixtures("url")
def test_a_revision_needs_a_database_that_is_up_to_date(
    backends: list[Path], capsys: Captured
) -> None:
    """While migrations are missing, none is written, and the error says what to run first."""
    assert main(["db", "revision", "larknotes", "-m", "Add tags"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        captured.err == f"Error: larknotes: missing migrations {REVISION}: "
        "run `bedplate db upgrade larknotes`.\n"
    )
    assert not [*(backends[0] / "larknotes" / "migrations" / "versions").glob("*_add_tags.py")]


@pytest.mark.usefixtures("url")
def test_an_unknown_revision_is_one_line(capsys: Captured) -> None:
    """A revision that isn't there is reported in one line."""
    assert main(["db", "upgrade", "larknotes", "--revision", "nowhere"]) == 1
    captured = capsys.readouterr()
    assert "nowhere" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("backends")
def test_a_database_that_is_away_is_named(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names backend and variable, and not the password."""
    url = f"postgresql://user:hunter2@127.0.0.1:{free_port()}/name"
    monkeypatch.setenv("LARKNOTES_DATABASE_URL", url)
    assert main(["db", "current", "larknotes"]) == 1
    captured = capsys.readouterr()
    assert "larknotes: " in captured.err
    assert "LARKNOTES_DATABASE_URL" in captured.err
    assert "hunter2" not in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("backends")
def test_a_user_who_may_not_create_tables_learns_what_to_grant(
    postgres_url: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since PostgreSQL 15 the schema public belongs to the database's owner: the line says so."""
    execute(postgres_url, "DROP ROLE IF EXISTS newcomer")
    execute(postgres_url, "CREATE ROLE newcomer LOGIN")
    url = postgres_url.replace("postgres@", "newcomer@")
    monkeypatch.setenv("LARKNOTES_DATABASE_URL", url)
    assert main(["db", "upgrade", "larknotes"]) == 1
    captured = capsys.readouterr()
    assert "may not create tables (permission denied for schema public)" in captured.err
    assert "GRANT CREATE ON SCHEMA" in captured.err
    assert captured.err.count("\n") == 1
    execute(postgres_url, "GRANT CREATE ON SCHEMA public TO newcomer")
    assert main(["db", "upgrade", "larknotes"]) == 0


@pytest.mark.usefixtures("backends")
def test_going_down_needs_a_name(capsys: Captured) -> None:
    """With several backends installed, nothing is taken down by accident."""
    assert main(["db", "downgrade"]) == 2
    assert "larknotes, larksongs" in capsys.readouterr().err
