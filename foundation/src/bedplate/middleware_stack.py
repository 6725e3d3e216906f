"""The ASGI layers around a backend's routes, in their order."""

from fastapi import FastAPI

from bedplate.asgi import (
    CORS,
    AccessLog,
    HeadAsGet,
    RequestLimits,
    TrustedProxies,
    in_one_layer,
    wrap_outermost,
)
from bedplate.backend import Backend
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import EXPOSED_HEADERS
from bedplate.settings import Settings


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
    if settings.compiled_routes:
        wrap_outermost(app, in_one_layer)
    if settings.trusted_proxies:
        wrap_outermost(app, TrustedProxies, trusted=settings.trusted_proxies)
