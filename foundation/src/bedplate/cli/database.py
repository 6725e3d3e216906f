"""`bedplate db`: migrations of the installed backends that have a database."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, cast

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from bedplate.backend import Backend
from bedplate.cli.arguments import BackendName, OneBackendName, application
from bedplate.cli.exceptions import CommandError
from bedplate.cli.installed import load_all, only
from bedplate.composition import explain_failure
from bedplate.database import Database, DatabaseUnavailable, Migrations
from bedplate.database_state import migrations_of
from bedplate.problems import ProblemError
from bedplate.settings import DatabaseSettings, Settings

app = application("Migrate databases, and show their migration status.")


@app.command()
def upgrade(
    backend: BackendName = None,
    revision: Annotated[str, typer.Option(help="The migration to stop at.")] = "head",
) -> None:
    """Run the missing migrations."""
    for each in _with_database(backend):
        _run(each, Migrations.upgrade, revision)
        _print_current(each)


@app.command()
def downgrade(
    backend: OneBackendName = None,
    revision: Annotated[
        str, typer.Option(help="-1 reverts the last migration, base all of them.")
    ] = "-1",
) -> None:
    """Revert migrations; the data in what they created is lost."""
    chosen = only(_with_database(backend))
    _run(chosen, Migrations.downgrade, revision)
    _print_current(chosen)


@app.command()
def current(backend: BackendName = None) -> None:
    """Print the current migration of each database."""
    for each in _with_database(backend):
        _print_current(each)


@app.command()
def revision(
    backend: OneBackendName = None,
    *,
    message: Annotated[str, typer.Option("--message", "-m", help="A short description.")],
) -> None:
    """Write the next migration from what differs between models and an up-to-date database."""
    chosen = only(_with_database(backend))
    if complaint := _missing(chosen):
        raise CommandError(complaint)
    with contextlib.redirect_stdout(sys.stderr):  # where Alembic's progress belongs
        path = _run(chosen, Migrations.revision, message)
    typer.echo(f"{path}: read it before you run it.")


@app.command()
def check(backend: BackendName = None) -> None:
    """Fail if migrations are missing, or if the models differ from the database."""
    backends = _with_database(backend)
    if complaints := [text for each in backends if (text := _missing(each) or _different(each))]:
        raise CommandError(" ".join(complaints))
    typer.echo("Every database is up to date.")


@contextlib.contextmanager
def explaining_failures(backend: Backend, settings: Settings) -> Iterator[None]:
    """Let what fails here, such as a database that is away, end a command with one sentence.

    For a backend's own commands, too. Raises `CommandError`; an error of the domain keeps its text.
    """
    try:
        yield
    except CommandError:
        raise
    except Exception as error:
        domain = isinstance(error, ProblemError) and not isinstance(error, DatabaseUnavailable)
        text = str(error) if domain else explain_failure(backend, settings, error)
        raise CommandError(text) from error


def _with_database(name: str | None) -> list[Backend]:
    """Return the backends that have migrations. Raises `CommandError` when there is none."""
    candidates = load_all([name] if name else [])
    backends = [backend for backend in candidates if migrations_of(backend) is not None]
    if not backends:
        raise CommandError(f"{name or 'No installed backend'} has no database to migrate.")
    return backends


def _run(backend: Backend, method: Callable[..., Awaitable[Any]], *arguments: str) -> Any:
    """Return the result of a method of `Migrations` on a database. Raises `CommandError`."""
    settings = cast("DatabaseSettings", backend.load_settings())
    migrations = cast("Migrations", migrations_of(backend))

    async def run() -> Any:
        async with Database.open(settings, application_name=f"{backend.name}-db") as database:
            return await method(migrations, database.engine, *arguments)

    with explaining_failures(backend, settings):
        return asyncio.run(run())


def _print_current(backend: Backend) -> None:
    typer.echo(f"{backend.name}: {_run(backend, _where)}")


async def _where(migrations: Migrations, engine: AsyncEngine) -> str:
    stands_at = await migrations.current(engine) or "before the first migration"
    missing = await migrations.missing(engine)
    return f"{stands_at}, {len(missing)} missing" if missing else f"{stands_at}, the newest"


def _missing(backend: Backend) -> str:
    """Return a sentence on the migrations that a database lacks, or "" if it lacks none."""
    missing = _run(backend, Migrations.missing)
    if not missing:
        return ""
    remedy = f"run `bedplate db upgrade {backend.name}`"
    return f"{backend.name}: missing migrations {', '.join(missing)}: {remedy}."


def _different(backend: Backend) -> str:
    """Return a sentence on how the models differ from a database, or "" if they don't."""
    differences = _run(backend, Migrations.differences)
    if not differences:
        return ""
    listed = ", ".join(_describe(differences))
    remedy = f"run `bedplate db revision {backend.name} -m …`"
    return f"{backend.name}: the models differ from the database ({listed}): {remedy}."


def _describe(differences: list[Any]) -> Iterator[str]:
    """Yield the differences of Alembic's `compare_metadata`, such as `add_column tasks.title`."""
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
