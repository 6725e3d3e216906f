"""Several backends in one process: each has a path and a host name, and every lifespan runs.

/            the start page        /tasks/…             the backend tasks
/healthz …   health of the whole   tasks.localhost/…    the same, at the root of its host
"""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate import __version__
from bedplate.application import create_app
from bedplate.asgi import AccessLog, HeadAsGet, wrap_outermost
from bedplate.backend import Backend
from bedplate.clients import LocalServices
from bedplate.lifecycle import Drain
from bedplate.observability.health import Health, HealthCheck, health_router
from bedplate.observability.metrics import RequestMetrics
from bedplate.observability.telemetry import telemetry_options
from bedplate.problems import ProblemPolicy, ServiceUnavailable, install_problems
from bedplate.runtime import StartupError
from bedplate.settings import DatabaseSettings, Settings, SettingsError
from bedplate.settings.explanation import without_secrets
from bedplate.start_page import start_page_router

NAME = "bedplate"
"""The backend label, in logs and metrics, of requests that no backend serves."""

BACKEND_CHECK_SECONDS = 3.0
"""How long a backend may take to answer whether it is ready; longer than any of its checks."""

WRONG_ADDRESS = ("28", "3D")
"""Classes of SQLSTATE: invalid authorization, invalid catalog name (PostgreSQL, appendix A)."""

INSUFFICIENT_PRIVILEGE = "42501"


def compose(
    backends: Sequence[Backend],
    settings: Mapping[str, Settings] | None = None,
    *,
    own_settings: Settings | None = None,
    drain: Drain | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> "FastAPI | Composition":
    """Return one ASGI application that serves these backends.

    Its `state.health` is the health of the whole, `state.healths` that of each backend by name.
    One backend is at the root. Several are each below `/<name>`, and at the root of every host
    whose first label is the name (`tasks.localhost`). `settings` are by backend name, and read from
    the environment for backends that it leaves out; `own_settings` are those of the composition
    itself, by default the first backend's. A backend that fails to start raises `StartupError`,
    here or in the lifespan: one sentence with its name, the setting and the fix. Raises
    `SettingsError`, and `ValueError` for no backend or two of the same name.
    """
    names = [backend.name for backend in backends]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"A composition needs backends of different names, not {names}.")
    drain = drain or Drain()
    by_name = {b.name: (settings or {}).get(b.name) or b.load_settings() for b in backends}
    local_services = LocalServices(names)
    apps = {b.name: _create(b, by_name[b.name], drain, registry, local_services) for b in backends}
    first = names[0]
    composed: FastAPI | Composition = apps[first]
    if len(apps) > 1:
        health = Health(
            [_check_of(name, app) for name, app in apps.items()],
            version=__version__,
            drain=drain,
            status_token=(own_settings or by_name[first]).status_token,
        )
        traced = any(own.otel_enabled for own in by_name.values())
        whole = _create_whole(backends, apps, health, registry, traced=traced)
        composed = Composition(whole, apps)
    composed.state.healths = {name: app.state.health for name, app in apps.items()}
    return composed


def _check_of(name: str, app: FastAPI) -> HealthCheck:
    """Return the check of one backend: it is ready when all of its own checks are."""
    health: Health = app.state.health

    async def is_ready() -> bool:
        return (await health.readiness())[0]

    return HealthCheck(name, is_ready, timeout=BACKEND_CHECK_SECONDS)


def _create(
    backend: Backend,
    settings: Settings,
    drain: Drain,
    registry: CollectorRegistry,
    local_services: LocalServices,
) -> FastAPI:
    """Return a backend's application; when it can't start, the error says which and why."""
    with _naming_failures(backend, settings):
        app = create_app(
            backend, settings, drain=drain, registry=registry, local_services=local_services
        )
    run: Any = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def named(app: FastAPI) -> AsyncIterator[Any]:
        async with contextlib.AsyncExitStack() as stack:
            with _naming_failures(backend, settings):
                state = await stack.enter_async_context(run(app))
            with local_services.run(backend.name, app, state):
                yield state

    app.router.lifespan_context = named
    return app


def _create_whole(
    backends: Sequence[Backend],
    apps: Mapping[str, FastAPI],
    health: Health,
    registry: CollectorRegistry,
    *,
    traced: bool,
) -> FastAPI:
    """Return the application that runs every lifespan and serves what belongs to no backend.

    `traced`: its lifespan also sets up OpenTelemetry's exporters, for all.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with contextlib.AsyncExitStack() as stack:
            states = {}
            for name, app in apps.items():
                run: Any = app.router.lifespan_context
                states[name] = await stack.enter_async_context(run(app)) or {}
            yield states

    whole = FastAPI(
        title="Bedplate",
        version=__version__,
        openapi_url=None,
        lifespan=lifespan,
        telemetry=telemetry_options(enabled=traced),
        redirect_slashes=False,
    )
    whole.state.health = health
    install_problems(whole, ProblemPolicy())
    whole.include_router(health_router(health))
    whole.include_router(start_page_router({f"/{b.name}": b for b in backends}))
    for backend in backends:
        whole.add_route(f"/{backend.name}", _redirect_to_start_page, include_in_schema=False)
    whole.add_middleware(HeadAsGet)
    metrics = RequestMetrics(registry, NAME)
    wrap_outermost(whole, AccessLog, backend=NAME, metrics=metrics)
    return whole


async def _redirect_to_start_page(request: Request) -> RedirectResponse:
    """Redirect `/name` to `/name/`, relatively: any address is right behind any proxy."""
    return RedirectResponse(request.scope["path"].rpartition("/")[2] + "/")


class Composition:
    """Hands each request to the backend that its host name or the first part of its path names.

    Each backend sees only its own lifespan state. Requests that name none go to `whole`.
    """

    def __init__(self, whole: FastAPI, apps: Mapping[str, ASGIApp]) -> None:
        self.state = whole.state
        self._whole = whole
        self._apps = apps
        self._by_path = {f"/{name}": name for name in apps}
        self._by_host = {name.encode(): name for name in apps}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or run the lifespan of all."""
        name, prefix = None, ""
        if scope["type"] != "lifespan":
            name = self._by_host.get(_first_label(scope))
            if name is None:
                name = self._by_path.get(prefix := _first_part(scope))
                if scope["path"] == scope.get("root_path", "") + prefix:
                    name = None
        if name is None:
            await self._whole(scope, receive, send)
        else:
            root_path = scope.get("root_path", "") + prefix
            own = {**scope, "state": dict(scope["state"][name]), "root_path": root_path}
            await self._apps[name](own, receive, send)


def _first_label(scope: Scope) -> bytes:
    """Return the first label of the host name, or nothing when it has no second."""
    for name, value in scope["headers"]:
        if name == b"host":
            label, dot, _ = value.partition(b".")
            return label.lower() if dot else b""
    return b""


def _first_part(scope: Scope) -> str:
    """Return the first part of the path below `root_path`, with its slash."""
    path: str = scope["path"]
    start = len(scope.get("root_path", ""))
    end = path.find("/", start + 1)
    return path[start:] if end < 0 else path[start:end]


@contextlib.contextmanager
def _naming_failures(backend: Backend, settings: Settings) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise StartupError(explain_failure(backend, settings, error)) from error


def explain_failure(backend: Backend, settings: Settings, error: Exception) -> str:
    """Return in one sentence which backend failed, why, and which setting to look at."""
    cause = getattr(error, "orig", None) or error
    if isinstance(error, ServiceUnavailable) and error.__cause__ is not None:
        cause = error.__cause__  # what a client sees says nothing of it
    reason = " ".join(str(cause).split()).rstrip(".") or type(cause).__name__
    if isinstance(error, SettingsError | StartupError):
        return f"{backend.name}: {reason}."
    reason = without_secrets(reason, settings)
    if isinstance(settings, DatabaseSettings) and _is_unreachable(error):
        variable = settings.variable("database_url")
        return (
            f"{backend.name}: its database is unavailable ({reason}): "
            f"check {variable} or DATABASE_URL, and that the database runs."
        )
    if _sqlstate(error) == INSUFFICIENT_PRIVILEGE and "schema" in reason.casefold():
        # Since PostgreSQL 15 only a database's owner may create tables in the schema public.
        return (
            f"{backend.name}: its database user may not create tables ({reason}): let the "
            "database's owner run `GRANT CREATE ON SCHEMA … TO …`, or give it a schema of its own."
        )
    return (
        f"{backend.name}: {type(error).__name__}: {reason}; "
        f"`bedplate settings {backend.name}` shows its settings."
    )


def _is_unreachable(error: Exception) -> bool:
    """Return whether the address, name, user or password is wrong, or nothing answers there."""
    from bedplate.database import DatabaseUnavailable, DatabaseURLError  # noqa: PLC0415 - an extra
    from bedplate.database.exceptions import translate  # noqa: PLC0415

    if isinstance(error, DatabaseUnavailable | DatabaseURLError):
        return True
    wrong_address = _sqlstate(error).startswith(WRONG_ADDRESS)
    return wrong_address or isinstance(translate(error), DatabaseUnavailable)


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None))
