"""The commands `bedplate tasks …`."""

import asyncio
import sys
from typing import Annotated

import typer
from fastapi.requests import HTTPConnection

from bedplate.auth import Principal
from bedplate.auth.refusals import REASONS, refusal_of
from bedplate.cli.arguments import application
from bedplate.cli.database import explaining_failures
from bedplate.cli.exceptions import CommandError
from bedplate.database import Database
from bedplate.database_state import prepare_database
from bedplate.settings import SettingsError
from tasks import service
from tasks.backend import backend
from tasks.settings import TasksSettings
from tasks.wiring import open_verifier

app = application("The to-do API.")


@app.command("sign-in")
def sign_in(
    email: str,
    url: Annotated[str, typer.Option(help="Where the API answers")] = "http://127.0.0.1:8000",
) -> None:
    """Sign in for development, and print the token."""
    settings = TasksSettings.load()
    if settings.production or settings.sessions != "hashed" or not settings.embedded:
        raise SettingsError(
            "sign-in makes sessions for development only, in the embedded database: in production, "
            "with TASKS_SESSIONS other than hashed, and in a database that DATABASE_URL names, "
            "users sign in at the auth server."
        )
    with explaining_failures(backend, settings):
        token = asyncio.run(_sign_in(settings, email))
    typer.echo(f"Token of {email}, for seven days: {token}\n")
    header = f"-H 'Authorization: Bearer {token}'"
    typer.echo(
        f"curl {url}/tasks {header} -H 'Content-Type: application/json' "
        f'-d \'{{"title": "Read the docs"}}\''
    )
    typer.echo(f"curl {url}/tasks {header}")


@app.command("check-session")
def check_session(
    proof: Annotated[str, typer.Argument(help="The bearer token, or - to read it from stdin")],
    *,
    cookie: Annotated[bool, typer.Option(help="It is the value of the session cookie")] = False,
) -> None:
    """Say whether a token or cookie proves a user, and if not why: what clients never learn."""
    settings = TasksSettings.load()
    value = sys.stdin.read().strip() if proof == "-" else proof
    with explaining_failures(backend, settings):
        principal, reason = asyncio.run(_check(settings, value, cookie=cookie))
    if principal is None:
        raise CommandError(f"Refused ({reason}): {REASONS[reason]}")
    typer.echo(f"Valid: the user {principal.id}.")


async def _check(
    settings: TasksSettings, value: str, *, cookie: bool
) -> tuple[Principal | None, str]:
    async with (
        Database.open(settings, application_name="tasks-check-session") as database,
        open_verifier(settings, database) as verifier,
    ):
        header = (b"authorization", f"Bearer {value}".encode())
        if cookie:
            names = getattr(verifier, "cookies", ())
            if not names:
                raise CommandError(f"With TASKS_SESSIONS={settings.sessions} no cookie counts.")
            pairs = [f"{name}={value}" for name in names]
            header = (b"cookie", "; ".join(pairs).encode())
        connection = HTTPConnection({"type": "http", "headers": [header]})
        principal = await verifier.verify(connection)
        return principal, refusal_of(connection)


async def _sign_in(settings: TasksSettings, email: str) -> str:
    async with Database.open(settings) as database:
        await prepare_database(backend, settings, database)
        async with database.write() as session:
            return await service.sign_in(session, settings.session_hash_secret, email)
