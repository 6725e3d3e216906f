from collections.abc import Mapping

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bedplate.observability.health import Document, Health, json_document
from bedplate.observability.metrics import MetricsApp


def operations_app(healths: Mapping[str, Health], registry: CollectorRegistry) -> ASGIApp:
    """Return the ASGI application with `/metrics`, `/healthz`, `/readyz` and `/statusz`.

    `healths` are those of the backends by name, read at each request. The process is ready when
    all backends are.
    """

    async def healthz(_: Request) -> JSONResponse:
        return json_document({"status": "ok"})

    async def readyz(_: Request) -> JSONResponse:
        backends: Document = {}
        ready = True
        for name, health in healths.items():
            backend_ready, backends[name] = await health.readiness()
            ready = ready and backend_ready
        status = "ready" if ready else "unavailable"
        return json_document({"status": status, "backends": backends}, 200 if ready else 503)

    async def statusz(request: Request) -> JSONResponse:
        return json_document(
            {
                name: await health.status(detailed=health.may_see_detail(request))
                for name, health in healths.items()
            }
        )

    return Starlette(
        routes=[
            Route("/metrics", MetricsApp(registry)),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/statusz", statusz),
        ]
    )
