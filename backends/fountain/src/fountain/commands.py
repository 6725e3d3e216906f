"""The commands `bedplate fountain …`, which import and export plays."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bedplate.cli.arguments import application
from bedplate.cli.exceptions import CommandError
from fountain.common.files import EXAMPLE, example_file
from fountain.screenplay import render
from fountain.screenplay.plan import Plan, plan_of
from fountain.screenplay.reconstruction import Stored, reconstruct
from fountain.transfer.exporting import fetch
from fountain.transfer.importing import PlayImport, count_steps, find_state, new_state
from fountain.transfer.play_files import check_lengths, read_play
from fountain.transfer.services import Addresses, open_services
from fountain.transfer.state import ImportState, exclusive_import, replace_file, state_path

app = application("Import plays in the Fountain format into the story services, and export them.")

Result = TypeVar("Result")


def _elsewhere(service: str, variable: str | None = None) -> Any:
    return typer.Option(help=f"URL of {service}, if elsewhere.", envvar=variable)


Play = Annotated[Path, typer.Argument(metavar="PLAY", help="A screenplay, such as play.fountain.")]
Url = Annotated[str, typer.Option(help="URL of services that run together.", envvar="FOUNTAIN_URL")]
ScriptsUrl = Annotated[str | None, _elsewhere("scripts", "STORY_FACTORY_SCRIPTS_URL")]
CharactersUrl = Annotated[str | None, _elsewhere("characters", "STORY_FACTORY_CHARACTERS_URL")]
SessionsUrl = Annotated[str | None, _elsewhere("session-context", "STORY_FACTORY_SESSIONS_URL")]
StoriesUrl = Annotated[str | None, _elsewhere("the Story Factory")]
User = Annotated[int, typer.Option(min=1, help="Owner of the sessions that hold the contexts.")]
Again = Annotated[bool, typer.Option("--again", help="Import the play anew, as another script.")]
ScriptId = Annotated[int, typer.Option("--script", min=1, help="Identifier of the script.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")
]
Copy = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
_URL = "http://127.0.0.1:8000"


@app.command("import")
def import_(
    play: Play,
    url: Url = _URL,
    scripts_url: ScriptsUrl = None,
    characters_url: CharactersUrl = None,
    sessions_url: SessionsUrl = None,
    stories_url: StoriesUrl = None,
    user: User = 1,
    again: Again = False,
) -> None:
    """Import a play into the services; print its scriptId and the URL of its story.

    The same command continues an interrupted import, and creates nothing twice.
    """
    addresses = Addresses.of(
        url,
        scripts=scripts_url,
        characters=characters_url,
        sessions=sessions_url,
        stories=stories_url,
    )
    reading = read_play(play)
    plan = plan_of(reading.screenplay, fallback_title=play.stem)
    check_lengths(plan)
    for first, last in reading.struck_out:
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        typer.echo(f"{play}, {where}: struck out (/* */), so it is left out.", err=True)
    path = state_path(play, addresses.scripts)
    with exclusive_import(play):
        state = new_state(plan, user) if again else find_state(path, plan, user)
        script = _run(_import(addresses, plan, user, state, path))
    typer.echo(f"scriptId: {script}")
    typer.echo(f"{addresses.stories}/stories?scriptId={script}")


@app.command("export")
def export(
    script: ScriptId,
    output: Output = None,
    url: Url = _URL,
    scripts_url: ScriptsUrl = None,
    characters_url: CharactersUrl = None,
    sessions_url: SessionsUrl = None,
) -> None:
    """Write a script as a screenplay."""
    addresses = Addresses.of(
        url, scripts=scripts_url, characters=characters_url, sessions=sessions_url
    )

    async def fetch_script() -> Stored:
        async with open_services(addresses) as services:
            return await fetch(services, script)

    screenplay, remarks = reconstruct(_run(fetch_script()))
    for remark in remarks:
        typer.echo(remark, err=True)
    content = render(screenplay).encode()
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        _write(output, content)


@app.command("example")
def write_example(output: Copy = Path(EXAMPLE)) -> None:
    """Write the example: Romeo and Juliet, act 2, scene 2."""
    content = example_file().read_bytes()
    if output.exists() and output.read_bytes() != content:
        raise CommandError(f"{output} exists already, with other content.")
    _write(output, content)
    typer.echo(output)


async def _import(
    addresses: Addresses, plan: Plan, user: int, state: ImportState, path: Path
) -> int:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    hidden = not console.is_terminal
    async with open_services(addresses) as services:
        with Progress(*columns, TimeRemainingColumn(), console=console, disable=hidden) as progress:
            title = plan.script["title"].partition("\n")[0]
            task = progress.add_task(title, total=count_steps(plan))
            on_progress = partial(progress.advance, task)
            return await PlayImport(services, plan, user, state, path, on_progress).run()


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    # A failure is one sentence; log lines about its causes would break up the progress bar.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(work)


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}.") from error
