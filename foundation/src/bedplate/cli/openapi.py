"""`bedplate openapi`: prints the OpenAPI document of a backend, without serving it."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.cli.arguments import OneBackendName, application
from bedplate.cli.exceptions import CommandError
from bedplate.cli.installed import load_one

app = application("Print the OpenAPI document of a backend as JSON.")


@app.command()
def openapi(
    backend: OneBackendName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file.")
    ] = None,
) -> None:
    """Print the OpenAPI document of a backend as JSON, or write it to a file."""
    text = orjson.dumps(document_of(load_one(backend)), option=orjson.OPT_INDENT_2).decode()
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{output} can't be written: {error.strerror}.") from error


def document_of(backend: Backend) -> dict[str, Any]:
    """Return the OpenAPI document. Raises `bedplate.settings.SettingsError`."""
    return create_app(backend, registry=CollectorRegistry()).openapi()
