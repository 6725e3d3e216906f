from pathlib import Path
from typing import Annotated

import orjson
import typer
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.cli.arguments import OneBackendName
from bedplate.cli.installed import load_one
from bedplate.cli.output import deliver


def openapi(
    backend: OneBackendName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file.")
    ] = None,
) -> None:
    """Print the OpenAPI document of a backend as JSON, or write it to a file."""
    document = create_app(load_one(backend), registry=CollectorRegistry()).openapi()
    deliver(f"{orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()}\n", output)
