"""The commands `bedplate tasks …`."""

import asyncio
from typing import Annotated

import typer

from bedplate.cli.arguments import application
from bedplate.database import Database
from bedplate.database_state import prepare_database
from bedplate.settings import SettingsError
from tasks import service
from tasks.backend import backend
from tasks.settings import TasksSettings

app = application("The to-do API.")


@app.callback()
def _tasks() -> None:
    """Keep `sign-in` a command of its own."""


@app.command("sign-in")
def sign_in(
    email: str,
    url: Annotated[str, typer.Option(help="Where the API answers")] = "http://127.0.0.1:8000",
) -> None:
    """Sign in for development, and print the token."""
    settings = TasksSettings.load()
    if settings.production or settings.sessions != "hashed":
        raise SettingsError(
            "sign-in makes sessions for development only: in production, and with TASKS_SESSIONS "
            "other than hashed, users sign in at the auth server."
        )
    token = asyncio.run(_sign_in(settings, email))
    typer.echo(f"Token of {email}, for seven days: {token}\n")
    header = f"-H 'Authorization: Bearer {token}'"
    typer.echo(
        f"curl {url}/tasks {header} -H 'Content-Type: application/json' "
        f'-d \'{{"title": "Read the docs"}}\''
    )
    typer.echo(f"curl {url}/tasks {header}")


async def _sign_in(settings: TasksSettings, email: str) -> str:
    async with Database.open(settings) as database:
        await prepare_database(backend, settings, database)
        async with database.write() as session:
            return await service.sign_in(session, settings.session_hash_secret, email)
