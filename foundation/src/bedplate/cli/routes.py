from collections.abc import Iterator
from typing import Any

import typer
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.cli.arguments import BackendName
from bedplate.cli.installed import load_all
from bedplate.cli.output import table
from bedplate.routing import served_by

WEBSOCKET = "WS"


def routes(backend: BackendName = None) -> None:
    """List the routes of a backend, or of every backend."""
    tables = []
    for each in load_all([backend] if backend else []):
        application_ = create_app(each, registry=CollectorRegistry())
        rows = [("METHOD", "PATH", "NAME", "AUTH", "SERVED BY"), *list_routes(application_)]
        tables.append(f"{each.name}\n{table(rows)}")
    typer.echo("\n\n".join(tables))


def list_routes(application_: FastAPI) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield method, path, name, authentication and who serves it of each route, in their order."""
    document = application_.openapi()["paths"]
    servers = {_key(each): server for each, server in served_by(application_)}
    for route in iter_route_contexts(application_.routes):
        operations = document.get(route.path_format, {}) if route.path_format else {}
        for method in sorted((route.methods or {WEBSOCKET}) - {"HEAD"}):
            if method == WEBSOCKET:
                ways = _schemes(getattr(route, "dependant", None))
            else:
                requirements = operations.get(method.lower(), {}).get("security", ())
                ways = [" and ".join(requirement) for requirement in requirements]
            path = route.path_format or route.path or ""
            server = servers.get(_key(route), "FastAPI")
            yield method, path, route.name or "", " or ".join(ways) or "-", server


def _key(described: Any) -> tuple[Any, ...]:
    """Return what tells a route from the others, by what FastAPI knows of it."""
    of: Any = getattr(described, "starlette_route", None) or described
    methods = frozenset(getattr(of, "methods", None) or ())
    return getattr(of, "path_format", None), methods, getattr(of, "endpoint", None)


def _schemes(dependant: Any) -> list[str]:
    """Return the security schemes that a WebSocket route depends on; OpenAPI has no WebSockets."""
    if dependant is None:
        return []
    own = [dependant.call.scheme_name] if isinstance(dependant.call, SecurityBase) else []
    below = [name for sub in dependant.dependencies for name in _schemes(sub)]
    return list(dict.fromkeys([*own, *below]))
