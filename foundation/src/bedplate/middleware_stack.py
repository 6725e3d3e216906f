"""The ASGI layers around a backend's routes, in their order."""

from collections.abc import Mapping

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

Limits = tuple[int, float, int]
"""Bytes of a body, seconds until the response, and members of a JSON body."""


def add_layers(app: FastAPI, backend: Backend, settings: Settings, metrics: RequestMetrics) -> None:
    """Wrap the routes; the layer that is added last is met first."""
    limits = settings.max_body_bytes, settings.request_timeout_seconds, settings.max_json_members
    uploads = {(u.method, u.path): u.limits(settings) for u in backend.uploads}
    depth = settings.max_json_depth
    app.add_middleware(RequestLimits, limits=limits, uploads=uploads, max_json_depth=depth)
    app.add_middleware(HeadAsGet)
    if origins := backend.cors.origins(settings):
        wrap_outermost(
            app,
            CORS,
            allow_origins=origins,
            allow_methods=backend.cors.allow_methods,
            allow_headers=backend.cors.allow_headers,
            expose_headers=list(dict.fromkeys([*backend.cors.expose_headers, *EXPOSED_HEADERS])),
            allow_credentials=backend.cors.allow_credentials,
        )
    wrap_outermost(app, AccessLog, backend=backend.name, metrics=metrics)
    if settings.trusted_proxies:
        wrap_outermost(app, TrustedProxies, trusted=settings.trusted_proxies)


class RequestLimits:
    """Limits each body, also its JSON, and the time until its response in seconds.

    `uploads` are routes, by method and exact path, with limits of their own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        uploads: Mapping[tuple[str, str], Limits],
        max_json_depth: int,
    ) -> None:
        self._ordinary = _limited(app, *limits, max_json_depth)
        self._uploads = {
            route: _limited(app, *own, max_json_depth) for route, own in uploads.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection within the limits of its route."""
        served = self._ordinary
        if self._uploads and scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            served = self._uploads.get((scope["method"], path), served)
        await served(scope, receive, send)


def _limited(
    app: ASGIApp, max_bytes: int, seconds: float, max_members: int, max_depth: int
) -> ASGIApp:
    bounded = JSONBounds(app, max_depth=max_depth, max_members=max_members)
    return RequestTimeout(BodyLimit(bounded, max_bytes=max_bytes), seconds=seconds)
