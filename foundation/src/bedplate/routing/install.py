"""Puts the index of routes, and the functions made of them, in front of an application's router."""

from collections.abc import Iterator
from typing import Any

import fastapi
import structlog
from fastapi import FastAPI

from bedplate.routing.index import RouteIndex, SearchedRouter, explain

TESTED = "0.165."
"""The releases of FastAPI whose internals this package was tested with."""


def compile_routes(app: FastAPI) -> None:
    """Have the routes of an application found in an index, and served by functions made of them.

    The index is made with the first request, and a route's function with the first request for it:
    what is added to the routes later is found and served by FastAPI. While the application has
    `dependency_overrides`, FastAPI serves all of it.
    With another FastAPI than was tested, one line is logged and nothing changes. Raises
    `ValueError` for a router with limits of its own, which this would leave out.
    """
    if not fastapi.__version__.startswith(TESTED):
        structlog.get_logger().warning(
            "routes_not_compiled", fastapi=fastapi.__version__, tested=f"{TESTED}*"
        )
        return
    router = app.router
    # Starlette's router calls `middleware_stack`; it is `app` unless it has middleware of its own.
    if router.middleware_stack != router.app or router.form_limits:
        raise ValueError("An index is only for routers without middleware and limits.")
    router.middleware_stack = SearchedRouter(router.app, lambda: RouteIndex(router), router)


def served_by(app: FastAPI) -> Iterator[tuple[Any, str]]:
    """Yield what FastAPI knows of each route, such as its `path_format`, and who serves it.

    That is `compiled`, or `FastAPI: ` and why.
    """
    installed = isinstance(app.router.middleware_stack, SearchedRouter)
    for described, reason in explain(app.router):
        why = reason if installed else "not switched on"
        yield described, f"FastAPI: {why}" if why else "compiled"
