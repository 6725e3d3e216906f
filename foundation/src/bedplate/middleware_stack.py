"""The ASGI layers around a backend's routes, in their order."""

from collections.abc import Callable, Mapping
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.asgi import (
    CORS,
    AccessLog,
    BodyLimit,
    HeadAsGet,
    JSONBounds,
    RequestTimeout,
    TrustedProxies,
    wrap_outermost,
)
from bedplate.backend import Backend
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import EXPOSED_HEADERS
from bedplate.settings import Settings

Layer = Callable[[ASGIApp], ASGIApp]
"""Wraps an application: a layer class with its options applied."""


def add_layers(app: FastAPI, backend: Backend, settings: Settings, metrics: RequestMetrics) -> None:
    """Wrap the routes; the layer that is added last is met first."""
    app.add_middleware(JSONBounds, max_depth=settings.max_json_depth)
    limits = partial(_limited, settings.max_body_bytes, settings.request_timeout_seconds)
    uploads = {(u.method, u.path): partial(_limited, *u.limits(settings)) for u in backend.uploads}
    app.add_middleware(ByRoute, layer=limits, routes=uploads)
    app.add_middleware(HeadAsGet)
    if origins := backend.cors.origins(settings):
        wrap_outermost(
            app,
            CORS,
            allow_origins=origins,
            allow_methods=backend.cors.allow_methods,
            allow_headers=backend.cors.allow_headers,
            expose_headers=[*backend.cors.expose_headers, *EXPOSED_HEADERS],
            allow_credentials=backend.cors.allow_credentials,
        )
    wrap_outermost(app, AccessLog, backend=backend.name, metrics=metrics)
    if settings.trusted_proxies:
        wrap_outermost(app, TrustedProxies, trusted=settings.trusted_proxies)


def _limited(max_bytes: int, seconds: float, app: ASGIApp) -> ASGIApp:
    """Limit the body of a request, and the time until its response."""
    return RequestTimeout(BodyLimit(app, max_bytes=max_bytes), seconds=seconds)


class ByRoute:
    """Puts `layer` around the application, and another around `routes` (method, exact path)."""

    def __init__(
        self, app: ASGIApp, *, layer: Layer, routes: Mapping[tuple[str, str], Layer]
    ) -> None:
        self._ordinary = layer(app)
        self._routes = {route: special(app) for route, special in routes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection through the layer of its route."""
        served = self._ordinary
        if self._routes and scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            served = self._routes.get((scope["method"], path), served)
        await served(scope, receive, send)
