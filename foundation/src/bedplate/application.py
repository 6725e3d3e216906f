"""Turns a `Backend` into a FastAPI application. Everything is on unless you bring your own.

Read `create_app` from top to bottom: it is the list of what the foundation does.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry

from bedplate.asgi import (
    CORS,
    AccessLog,
    BodyLimit,
    ByRoute,
    HeadAsGet,
    JSONBounds,
    RequestTimeout,
    TrustedProxies,
    wrap_outermost,
)
from bedplate.asgi.by_route import Layer
from bedplate.backend import Backend, Upload
from bedplate.clients import LocalServices
from bedplate.lifecycle import Drain
from bedplate.observability.health import Health, HealthCheck, health_router
from bedplate.observability.metrics import RequestMetrics
from bedplate.observability.telemetry import telemetry_options
from bedplate.openapi import install_openapi
from bedplate.problems import install_problems
from bedplate.rate_limits import EXPOSED_HEADERS
from bedplate.settings import Settings
from bedplate.start_page import start_page_router
from bedplate.state import State, check_routes


def create_app(
    backend: Backend,
    settings: Settings | None = None,
    *,
    drain: Drain | None = None,
    registry: CollectorRegistry = REGISTRY,
    replacements: Mapping[str, object] | None = None,
    local_services: LocalServices | None = None,
) -> FastAPI:
    """Return the FastAPI application of a backend.

    `settings` are read from the environment by default. `drain` announces that the process shuts
    down. `replacements` stand in for fields of the state, by name: a test passes its own
    `database`, for instance, and closes it itself. `local_services` are the other backends of
    this process. Raises `SettingsError`.
    """
    settings = settings or backend.load_settings()
    drain = drain or Drain()
    metrics = RequestMetrics(registry, backend.name)
    lifespan = Lifespan(
        backend, settings, drain, metrics, local_services or LocalServices(), replacements or {}
    )
    app = FastAPI(
        title=backend.title,
        version=backend.version,
        summary=backend.summary or None,
        description=backend.description,
        lifespan=lifespan.run,
        # A contract serves pages of its own.
        docs_url="/docs" if backend.contract is None else None,
        redoc_url="/redoc" if backend.contract is None else None,
        **telemetry_options(enabled=settings.otel_enabled),
    )
    app.state.settings = settings
    app.state.health = lifespan.health
    install_problems(app, backend.problems, refused=charge_refused(backend))
    for router in backend.routers:
        app.include_router(router)
    app.include_router(health_router(lifespan.health))
    app.include_router(start_page_router({"": backend}))
    if backend.contract is not None:
        backend.contract.install(app)
    else:
        install_openapi(app, backend)
    check_routes(app, lifespan.state_class)
    _add_layers(app, backend, settings, metrics)
    return app


def charge_refused(backend: Backend) -> Any:
    """Return what charges a request that was refused before a dependency could."""
    return None if backend.rate_limit is None else backend.rate_limit.charge_once


def _add_layers(
    app: FastAPI, backend: Backend, settings: Settings, metrics: RequestMetrics
) -> None:
    """Wrap the routes; the layer that is added last is met first."""
    app.add_middleware(JSONBounds, max_depth=settings.max_json_depth)
    _add_bound(
        app,
        partial(BodyLimit, max_bytes=settings.max_body_bytes),
        {up: partial(BodyLimit, max_bytes=up.limits(settings)[0]) for up in backend.uploads},
    )
    _add_bound(
        app,
        partial(RequestTimeout, seconds=settings.request_timeout_seconds),
        {up: partial(RequestTimeout, seconds=up.limits(settings)[1]) for up in backend.uploads},
    )
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


def _add_bound(app: FastAPI, layer: Layer, of_uploads: Mapping[Upload, Layer]) -> None:
    """Add a layer, and another one in its place around each upload."""
    routes = {(upload.method, upload.path): special for upload, special in of_uploads.items()}
    app.add_middleware(ByRoute, layer=layer, routes=routes)


def state_class_of(backend: Backend) -> type[State]:
    """Return the class of a backend's state. Raises `TypeError` when it lacks the database."""
    if backend.metadata is None:
        return backend.state or State
    from bedplate.database_state import DatabaseState  # noqa: PLC0415 - needs an extra

    state = backend.state or DatabaseState
    if not issubclass(state, DatabaseState):
        raise TypeError(f"{backend.name} has tables: {state.__name__} must be a DatabaseState.")
    return state


class Lifespan:
    """Runs a backend's state while it serves."""

    def __init__(
        self,
        backend: Backend,
        settings: Settings,
        drain: Drain,
        metrics: RequestMetrics,
        local_services: LocalServices,
        replacements: Mapping[str, object],
    ) -> None:
        self.state_class = state_class_of(backend)
        self._backend = backend
        self._known = {
            "backend": backend,
            "settings": settings,
            "drain": drain,
            "metrics": metrics,
            "local_services": local_services,
        }
        self._replacements = replacements
        self._checks: list[HealthCheck] = []
        self.health = Health(
            self._checks,
            version=backend.version,
            drain=drain,
            status_token=settings.status_token,
        )

    @contextlib.asynccontextmanager
    async def run(self, _: FastAPI) -> AsyncIterator[dict[str, Any]]:
        """Yield the state as a mapping: every request finds its fields on `request.state`."""
        self._checks.clear()
        async with self.state_class.open(self._known, self._replacements) as state:
            if (database := getattr(state, "database", None)) is not None:
                self._checks.append(HealthCheck("database", database.ping))
            if self._backend.health_checks is not None:
                self._checks.extend(self._backend.health_checks(state))
            yield state.as_mapping()
