"""Arguments and options that several commands share."""

from typing import Annotated

import typer

BackendName = Annotated[
    str | None, typer.Argument(metavar="BACKEND", help="An installed backend; default: all.")
]
OneBackendName = Annotated[
    str | None,
    typer.Argument(metavar="BACKEND", help="An installed backend; optional if there is only one."),
]


def application(help_: str | None = None) -> typer.Typer:
    """Return an empty typer app whose help is plain text and whose errors are one line."""
    return typer.Typer(help=help_, add_completion=False, rich_markup_mode=None)
