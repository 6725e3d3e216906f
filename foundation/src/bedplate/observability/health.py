"""Liveness, readiness and status of backends, on their own port and on the operations port."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from ipaddress import ip_address
from typing import Any, Literal

from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bedplate import clock
from bedplate.lifecycle import Drain
from bedplate.observability.metrics import MetricsApp

_LOGGER = logging.getLogger("bedplate.health")

Document = dict[str, Any]
State = Literal["ready", "unavailable", "draining"]


@dataclass(frozen=True)
class HealthCheck:
    """Checks a dependency; it fails if `check` raises, returns False or takes `timeout` seconds."""

    name: str
    check: Callable[[], Awaitable[object]]
    timeout: float = 1.0


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a check, and how long it took in seconds."""

    error: str | None
    seconds: float

    @property
    def status(self) -> Literal["ok", "failing"]:
        """Whether the dependency is available."""
        return "ok" if self.error is None else "failing"


@dataclass(eq=False)
class Health:
    """The health of one backend.

    `checks` is read at each request, so it may still grow at start. `/statusz` shows `version` and
    `build` only to a client on this machine or with `status_token` as its bearer token.
    """

    checks: Sequence[HealthCheck] = ()
    _: KW_ONLY
    version: str = ""
    build: str | None = None
    drain: Drain | None = None
    status_token: SecretStr | None = None

    def __post_init__(self) -> None:
        self._started_at = clock.now()
        self._started = clock.monotonic()
        self._running: asyncio.Task[dict[str, CheckResult]] | None = None
        self._failing: dict[str, str] = {}

    async def readiness(self) -> tuple[bool, Document]:
        """Return whether the backend is ready, and the document; no check runs while it drains."""
        status, results = await self._state()
        checks = {name: {"status": result.status} for name, result in results.items()}
        return status == "ready", {"status": status, "checks": checks}

    async def status(self, *, detailed: bool) -> Document:
        """Return the state; when `detailed`, with version, uptime and checks."""
        status, results = await self._state()
        if not detailed:
            return {"status": status}
        return {
            "status": status,
            "version": self.version,
            "build": self.build,
            "started_at": self._started_at.isoformat().replace("+00:00", "Z"),
            "uptime_seconds": round(clock.monotonic() - self._started, 3),
            "checks": {
                name: {
                    "status": result.status,
                    "latency_ms": round(result.seconds * 1000, 3),
                    **({} if result.error is None else {"error": result.error}),
                }
                for name, result in results.items()
            },
        }

    async def _state(self) -> tuple[State, dict[str, CheckResult]]:
        if self.drain is not None and self.drain.draining:
            return "draining", {}
        results = await self.check()
        ready = all(result.error is None for result in results.values())
        return "ready" if ready else "unavailable", results

    async def check(self) -> dict[str, CheckResult]:
        """Run every check, or wait for the run that is under way."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        # The first client may disconnect while others still wait.
        return await asyncio.shield(self._running)

    async def _run(self) -> dict[str, CheckResult]:
        checks = list(self.checks)
        outcomes = await asyncio.gather(*map(_run_check, checks))
        results = {check.name: result for check, result in zip(checks, outcomes, strict=True)}
        failing = {name: result.error for name, result in results.items() if result.error}
        for name in failing.keys() - self._failing:
            _LOGGER.warning("health_check_failing", extra={"check": name, "error": failing[name]})
        for name in self._failing.keys() - failing:
            _LOGGER.info("health_check_recovered", extra={"check": name})
        self._failing = failing
        return results

    def may_see_detail(self, request: Request) -> bool:
        """Return whether a client is on this machine, or has the status token."""
        if _is_local(request):
            return True
        if self.status_token is None:
            return False
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expected = self.status_token.get_secret_value().encode("utf-8", "surrogateescape")
        actual = token.encode("latin-1").strip()  # the bytes of the header, as Starlette reads it
        return scheme.lower() == "bearer" and hmac.compare_digest(actual, expected)


def health_router(health: Health) -> APIRouter:
    """Return the routes `/healthz`, `/readyz` and `/statusz`, which aren't in OpenAPI.

    They are plain Starlette routes, so that no dependency of the application applies to them.
    """

    async def readyz(_: Request) -> JSONResponse:
        ready, document = await health.readiness()
        return _json_document(document, 200 if ready else 503)

    async def statusz(request: Request) -> JSONResponse:
        return _json_document(await health.status(detailed=health.may_see_detail(request)))

    router = APIRouter()
    for path, endpoint in (("/healthz", _healthz), ("/readyz", readyz), ("/statusz", statusz)):
        router.add_route(path, endpoint, methods=["GET"], include_in_schema=False)
    return router


def operations_app(healths: Mapping[str, Health], registry: CollectorRegistry) -> ASGIApp:
    """Return the ASGI application with `/metrics`, `/healthz`, `/readyz` and `/statusz`.

    `healths` are those of the backends by name, read at each request. The process is ready when
    all backends are.
    """

    async def readyz(_: Request) -> JSONResponse:
        readiness = {name: await health.readiness() for name, health in healths.items()}
        ready = all(ready for ready, _ in readiness.values())
        backends = {name: document for name, (_, document) in readiness.items()}
        status = "ready" if ready else "unavailable"
        return _json_document({"status": status, "backends": backends}, 200 if ready else 503)

    async def statusz(request: Request) -> JSONResponse:
        states = {
            name: await health.status(detailed=health.may_see_detail(request))
            for name, health in healths.items()
        }
        return _json_document(states)

    app = Starlette(
        routes=[
            Route("/metrics", MetricsApp(registry)),
            Route("/healthz", _healthz),
            Route("/readyz", readyz),
            Route("/statusz", statusz),
        ]
    )
    app.router.redirect_slashes = False  # it would redirect to whatever the Host header names
    return app


async def _healthz(_: Request) -> JSONResponse:
    return _json_document({"status": "ok"})


def _json_document(document: Document, status: int = 200) -> JSONResponse:
    """Return a response that no cache stores."""
    return JSONResponse(document, status, {"Cache-Control": "no-store"})


async def _run_check(check: HealthCheck) -> CheckResult:
    """Run one check; don't wait for a late one to end, since its cancellation may hang too."""
    began = clock.monotonic()
    task = asyncio.ensure_future(_call(check))
    try:
        await asyncio.wait({task}, timeout=check.timeout)
    finally:
        task.cancel()  # has no effect when it is done
    error: str | None = "timeout"
    if task.done():
        error = "cancelled" if task.cancelled() else task.result()
    return CheckResult(error, clock.monotonic() - began)


async def _call(check: HealthCheck) -> str | None:
    try:
        return "failed" if await check.check() is False else None
    except Exception as error:  # noqa: BLE001 - any error says that it is unavailable
        return type(error).__name__


def _is_local(request: Request) -> bool:
    """Return whether the client is on this machine, and not behind a proxy on it."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
