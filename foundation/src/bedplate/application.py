"""A `Backend` becomes a FastAPI application. Everything is on, and backs off when you bring yours.

Read `create_app` from top to bottom: it is the list of what the foundation does.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

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
from bedplate.backend import Backend, Resources, Upload
from bedplate.clients import LocalServices
from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from bedplate.observability.health import Health, HealthCheck, health_router
from bedplate.observability.metrics import RequestMetrics
from bedplate.observability.telemetry import telemetry_options
from bedplate.openapi import install_openapi
from bedplate.problems import install_problems
from bedplate.rate_limits import EXPOSED_HEADERS, Limiter
from bedplate.settings import DatabaseSettings, Settings, SettingsError
from bedplate.start_page import start_page_router

if TYPE_CHECKING:
    from bedplate.database import Database


def create_app(
    backend: Backend,
    settings: Settings | None = None,
    *,
    drain: Drain | None = None,
    registry: CollectorRegistry = REGISTRY,
    resources: Mapping[str, Any] | None = None,
    local_services: LocalServices | None = None,
) -> FastAPI:
    """Return the FastAPI application of a backend.

    `settings` are read from the environment when not given. `drain` says that the process is going
    away. `resources` replace what the lifespan would open, by name: a test passes its own
    `database`, for instance, and closes it itself. `local_services` are the other backends of
    this process. Raises `SettingsError`.
    """
    settings = settings or backend.load_settings()
    drain = drain or Drain()
    metrics = RequestMetrics(registry, backend.name)
    given = {"local_services": local_services or LocalServices(), **(resources or {})}
    lifespan = Lifespan(backend, settings, drain, metrics, given)
    app = FastAPI(
        title=backend.title,
        version=backend.version,
        summary=backend.summary or None,
        description=backend.description,
        lifespan=lifespan.run,
        # A contract serves pages of its own.
        docs_url="/docs" if backend.contract is None else None,
        redoc_url="/redoc" if backend.contract is None else None,
        **telemetry_options(settings),
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
        {one: partial(BodyLimit, max_bytes=one.max_bytes(settings)) for one in backend.uploads},
    )
    _add_bound(
        app,
        partial(RequestTimeout, seconds=settings.request_timeout_seconds),
        {one: partial(RequestTimeout, seconds=one.seconds(settings)) for one in backend.uploads},
    )
    app.add_middleware(HeadAsGet)
    if origins := backend.cors.origins(settings):
        wrap_outermost(
            app,
            CORS,
            origins=origins,
            methods=backend.cors.allow_methods,
            headers=backend.cors.allow_headers,
            exposed=[*backend.cors.expose_headers, *EXPOSED_HEADERS],
            credentials=backend.cors.allow_credentials,
        )
    wrap_outermost(app, AccessLog, backend=backend.name, metrics=metrics)
    if settings.trusted_proxies:
        wrap_outermost(app, TrustedProxies, trusted=settings.trusted_proxies)


def _add_bound(app: FastAPI, layer: Layer, of_uploads: Mapping[Upload, Layer]) -> None:
    """Add a layer, and another one in its place around each upload."""
    routes = {(upload.method, upload.path): special for upload, special in of_uploads.items()}
    app.add_middleware(ByRoute, layer=layer, routes=routes)


class Lifespan:
    """Opens what a backend needs, in order, and closes it in the opposite order."""

    def __init__(
        self,
        backend: Backend,
        settings: Settings,
        drain: Drain,
        metrics: RequestMetrics,
        replacements: Mapping[str, Any],
    ) -> None:
        self._backend = backend
        self._settings = settings
        self._drain = drain
        self._metrics = metrics
        self._replacements = replacements
        self._checks: list[HealthCheck] = []
        self.health = Health(
            self._checks,
            version=backend.version,
            drain=drain,
            status_token=settings.status_token,
        )

    @contextlib.asynccontextmanager
    async def run(self, _: FastAPI) -> AsyncIterator[Resources]:
        """Yield the resources: every request finds them on `request.state`."""
        self._checks.clear()
        async with contextlib.AsyncExitStack() as stack:
            resources: Resources = {
                "settings": self._settings,
                "drain": self._drain,
                "metrics": self._metrics,
                "local_services": self._replacements["local_services"],
            }
            if self._backend.metadata is not None:
                await self._open(stack, resources, "database", self._database())
                await self._prepare(resources)
            await self._open(stack, resources, "limiter", self._limiter())
            await self._open(stack, resources, "jobs", Jobs())
            self._watch_jobs(resources["jobs"])
            for name, opener in self._backend.resources.items():
                await self._open(stack, resources, name, opener(self._settings, resources))
            if self._backend.health_checks is not None:
                self._checks.extend(self._backend.health_checks(resources))
            yield resources

    async def _open(
        self,
        stack: contextlib.AsyncExitStack,
        resources: Resources,
        name: str,
        resource: contextlib.AbstractAsyncContextManager[Any],
    ) -> None:
        if name in self._replacements:
            resources[name] = self._replacements[name]
        else:
            resources[name] = await stack.enter_async_context(resource)

    def _watch_jobs(self, jobs: Jobs) -> None:
        def running() -> Mapping[tuple[str, ...], float]:
            return {(): len(jobs)}

        self._metrics.register_gauge("jobs_running", "Background jobs under way", [], running)

    def _limiter(self) -> Limiter:
        url = self._settings.redis_url
        return Limiter(
            url.get_secret_value() if url else None,
            on_failure=self._settings.rate_limit_on_failure,
            namespace=self._backend.name,
            observe=self._metrics.observe_rate_limit,
        )

    @contextlib.asynccontextmanager
    async def _database(self) -> "AsyncIterator[Database]":
        from bedplate.database import Database  # noqa: PLC0415 - an extra, only for who stores
        from bedplate.database.urls import DatabaseURLError  # noqa: PLC0415 - see above

        settings = cast("DatabaseSettings", self._settings)
        try:
            database = Database.open(settings, application_name=self._backend.name)
        except DatabaseURLError as error:
            raise SettingsError(f"{settings.variables('database_url')}: {error}") from None
        async with database:
            yield database

    async def _prepare(self, resources: Resources) -> None:
        """Bring the embedded or development database up to date; in production say what lacks."""
        database: Database = resources["database"]
        self._metrics.watch_pool(database.engine.pool)
        self._checks.append(HealthCheck("database", database.ping))
        if "database" in self._replacements:
            return
        from bedplate.database.preparation import prepare_database  # noqa: PLC0415 - see above

        await prepare_database(self._backend, cast("DatabaseSettings", self._settings), resources)
