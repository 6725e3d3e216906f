"""The commands `bedplate live …`."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from bedplate.cli.arguments import application
from bedplate.cli.database import explaining_failures
from live.backend import backend
from live.responses import maintenance
from live.settings import LiveSettings

app = application("Live audience events.")


@app.callback()
def _live() -> None:
    """Keep `recount` a command of its own."""


@app.command("recount")
def recount(
    session: Annotated[
        UUID | None, typer.Argument(help="A session's id; all sessions by default")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Set what is wrong to what the answers say")
    ] = False,
) -> None:
    """Count all answers again, and say which counters of results differ. Votes may go on.

    Exit code 1 when something differs that isn't repaired.
    """
    with explaining_failures(backend, LiveSettings.load()):
        report = asyncio.run(maintenance.recount_at(session, repair=repair))
    for activity in report.wrong:
        for found in activity.rounds:
            place = f"{activity.id} round {found.round} ({activity.title})"
            pairs = {"answers": found.stored, **found.counters}
            for name, (is_now, right) in pairs.items():
                if is_now != right:
                    typer.echo(f"{place}: {name} is {is_now}, and should be {right}.")
    typer.echo(f"Counted again: {report.checked}. Wrong: {len(report.wrong)}.")
    if report.wrong and not repair:
        raise typer.Exit(1)
