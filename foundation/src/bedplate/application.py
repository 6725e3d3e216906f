"""Turns a `Backend` into a FastAPI application. Everything is on unless you bring your own.

Read `create_app` from top to bottom: it is the list of what the foundation does.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry
from starlette.types import Lifespan

from bedplate.backend import Backend
from bedplate.clients import LocalServices
from bedplate.lifecycle import Drain
from bedplate.middleware_stack import add_layers
from bedplate.observability.health import Health, HealthCheck, health_router
from bedplate.observability.metrics import RequestMetrics
from bedplate.observability.telemetry import telemetry_options
from bedplate.openapi import install_openapi
from bedplate.problems import install_problems
from bedplate.routing import compile_routes
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
    known = {
        "backend": backend,
        "settings": settings,
        "drain": drain,
        "metrics": metrics,
        "local_services": local_services or LocalServices(),
    }
    checks: list[HealthCheck] = []
    health = Health(
        checks, version=backend.version, drain=drain, status_token=settings.status_token
    )
    app = FastAPI(
        title=backend.title,
        version=backend.version,
        summary=backend.summary or None,
        description=backend.description,
        lifespan=_lifespan(backend, known, replacements or {}, checks),
        # A contract serves pages of its own.
        docs_url="/docs" if backend.contract is None else None,
        redoc_url="/redoc" if backend.contract is None else None,
        telemetry=telemetry_options(enabled=settings.otel_enabled),
        redirect_slashes=False,  # it would redirect to whatever the Host header names
    )
    app.state.settings = settings
    app.state.health = health
    # Charges a request that is refused before a dependency could.
    charge = None if backend.rate_limit is None else backend.rate_limit.charge_once
    install_problems(app, backend.problems, refused=charge)
    for router in (*backend.routers, health_router(health), start_page_router({"": backend})):
        app.include_router(router)
    if backend.contract is not None:
        backend.contract.install(app)
    else:
        install_openapi(app, backend, settings)
    check_routes(app, state_class_of(backend))
    add_layers(app, backend, settings, metrics)
    if settings.compiled_routes:
        compile_routes(app)
    return app


def state_class_of(backend: Backend) -> type[State]:
    """Return the class of a backend's state. Raises `TypeError` when it lacks the database."""
    if backend.metadata is None:
        return backend.state or State
    from bedplate.database_state import DatabaseState  # noqa: PLC0415 - needs an extra

    state = backend.state or DatabaseState
    if not issubclass(state, DatabaseState):
        raise TypeError(f"{backend.name} has tables: {state.__name__} must be a DatabaseState.")
    return state


def _migration_checks(backend: Backend, settings: Any, database: Any) -> list[HealthCheck]:
    from bedplate.database_state import migrations_check  # noqa: PLC0415 - needs an extra

    check = migrations_check(backend, settings, database)
    return [] if check is None else [HealthCheck("migrations", check)]


def _lifespan(
    backend: Backend,
    known: Mapping[str, object],
    replacements: Mapping[str, object],
    checks: list[HealthCheck],
) -> Lifespan[FastAPI]:
    """Return what opens the state, whose fields are on `request.state`, and adds to `checks`."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        checks.clear()
        async with state_class_of(backend).open(known, replacements) as state:
            if (database := getattr(state, "database", None)) is not None:
                checks.append(HealthCheck("database", database.ping))
                checks.extend(_migration_checks(backend, state.settings, database))
            if backend.health_checks is not None:
                checks.extend(backend.health_checks(state))
            yield state.as_mapping()

    return lifespan
