"""`bedplate routes`: method, path, name, and what proves who calls."""

from collections.abc import Iterator
from typing import Any

import typer
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.cli.arguments import BackendName, application
from bedplate.cli.installed import load_all
from bedplate.cli.tables import table

HEADINGS = ("METHOD", "PATH", "NAME", "AUTH")

app = application("List the routes of backends.")


@app.command()
def routes(backend: BackendName = None) -> None:
    """List the routes of a backend, or of every backend."""
    found = load_all([backend] if backend else [])
    tables = [
        f"{one.name}\n{table(HEADINGS, list_routes(create_app(one, registry=CollectorRegistry())))}"
        for one in found
    ]
    typer.echo("\n\n".join(tables))


def list_routes(application_: FastAPI) -> Iterator[tuple[str, str, str, str]]:
    """Yield method, path, name and security schemes of each route, in order of matching."""
    for route in iter_route_contexts(application_.routes):
        methods = sorted((route.methods or {"WS"}) - {"HEAD"})
        auth = ", ".join(_schemes(getattr(route, "dependant", None))) or "-"
        for method in methods:
            yield method, route.path or "", route.name or "", auth


def _schemes(dependant: Any) -> list[str]:
    """Return the names of the security schemes that a route depends on, each once."""
    if dependant is None:
        return []
    own = [dependant.call.scheme_name] if isinstance(dependant.call, SecurityBase) else []
    below = [name for sub in dependant.dependencies for name in _schemes(sub)]
    return list(dict.fromkeys([*own, *below]))
