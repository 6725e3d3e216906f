"""Commands, and the arguments that several of them share."""

from typing import Annotated, Any

import typer
from typer.main import get_command

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


def command_of(target: Any) -> Any:
    """Return the command of a typer app, or of a function that is a command by itself."""
    if isinstance(target, typer.Typer):
        return get_command(target)
    app = application()
    app.command()(target)
    return get_command(app)
