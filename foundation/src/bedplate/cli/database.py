"""`bedplate db`: migrations of the installed backends that store something."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, cast

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from bedplate.backend import Backend
from bedplate.cli.arguments import BackendName, OneBackendName, application
from bedplate.cli.exceptions import CommandError, UsageError
from bedplate.cli.installed import load_all
from bedplate.composition import explain_failure
from bedplate.database import Database, Migrations
from bedplate.database_state import migrations_of
from bedplate.settings import DatabaseSettings

Work = Callable[[Migrations, AsyncEngine], Awaitable[Any]]

app = application("Migrate databases, and see where they stand.")


@app.command()
def upgrade(
    backend: BackendName = None,
    revision: Annotated[str, typer.Option(help="How far up.")] = "head",
) -> None:
    """Run the migrations that are missing."""
    for found in _storing(backend):
        _run(found, lambda migrations, engine: migrations.upgrade(engine, revision))
        _print_current(found)


@app.command()
def downgrade(
    backend: OneBackendName = None,
    revision: Annotated[
        str, typer.Option(help="How far down: -1 is the last migration, base all.")
    ] = "-1",
) -> None:
    """Take migrations back, with the data that they made room for."""
    found = _one_storing(backend)
    _run(found, lambda migrations, engine: migrations.downgrade(engine, revision))
    _print_current(found)


@app.command()
def current(backend: BackendName = None) -> None:
    """Say which migration each database stands at."""
    for found in _storing(backend):
        _print_current(found)


@app.command()
def revision(
    backend: OneBackendName = None,
    *,
    message: Annotated[str, typer.Option("--message", "-m", help="What it does, in few words.")],
) -> None:
    """Write the next migration from what differs between models and database."""
    found = _one_storing(backend)
    with contextlib.redirect_stdout(sys.stderr):  # where Alembic's progress belongs
        path = _run(found, lambda migrations, engine: migrations.revision(engine, message))
    typer.echo(f"{path}: read it before you run it.")


@app.command()
def check(backend: BackendName = None) -> None:
    """Fail when migrations are missing, or when the models differ from the database."""
    complaints = [
        complaint for found in _storing(backend) for complaint in _run(found, _complaints(found))
    ]
    if complaints:
        raise CommandError(" ".join(complaints))
    typer.echo("Every database is up to date.")


def _storing(name: str | None) -> list[Backend]:
    """Return the backends that have migrations. Raises `CommandError` when there is none."""
    found = [one for one in load_all([name] if name else []) if migrations_of(one) is not None]
    if not found:
        raise CommandError(f"{name or 'No installed backend'} has no database to migrate.")
    return found


def _one_storing(name: str | None) -> Backend:
    found = _storing(name)
    if len(found) > 1:
        names = ", ".join(backend.name for backend in found)
        raise UsageError(f"Several backends have a database, name one of them: {names}.")
    return found[0]


def _run(backend: Backend, work: Work) -> Any:
    """Return what `work` does on a backend's database. Raises `CommandError`."""
    settings = cast("DatabaseSettings", backend.load_settings())
    migrations = cast("Migrations", migrations_of(backend))

    async def run() -> Any:
        async with Database.open(settings, application_name=f"{backend.name}-db") as database:
            return await work(migrations, database.engine)

    try:
        return asyncio.run(run())
    except Exception as error:
        raise CommandError(explain_failure(backend, settings, error)) from error


def _print_current(backend: Backend) -> None:
    typer.echo(f"{backend.name}: {_run(backend, _where)}")


async def _where(migrations: Migrations, engine: AsyncEngine) -> str:
    stands_at = await migrations.current(engine) or "before the first migration"
    missing = await migrations.missing(engine)
    return f"{stands_at}, {len(missing)} missing" if missing else f"{stands_at}, the newest"


def _complaints(backend: Backend) -> Work:
    async def look(migrations: Migrations, engine: AsyncEngine) -> list[str]:
        name = backend.name
        if missing := await migrations.missing(engine):
            names = ", ".join(missing)
            return [f"{name} lacks the migrations {names}: run `bedplate db upgrade {name}`."]
        if differences := await migrations.differences(engine):
            what = ", ".join(_describe(differences))
            remedy = f"run `bedplate db revision {name} -m …`"
            return [f"{name}: the models differ from the database ({what}): {remedy}."]
        return []

    return look


def _describe(differences: list[Any]) -> Iterator[str]:
    """Yield what Alembic's `compare_metadata` found, such as `add_column tasks.title`."""
    for difference in differences:
        if isinstance(difference, list):
            yield from _describe(difference)
        else:
            kind, *subjects = difference
            yield f"{kind} {'.'.join(_names(kind, subjects))}".rstrip()


def _names(kind: str, subjects: list[Any]) -> Iterator[str]:
    if kind.endswith(("_table", "_index", "_constraint", "_fk", "_column")):
        table = getattr(subjects[0], "table", None)
        if table is not None:
            yield str(table.name)
    for subject in subjects:
        if isinstance(subject, str):
            yield subject
        elif getattr(subject, "name", None):
            yield str(subject.name)
