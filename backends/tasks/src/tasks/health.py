"""`GET /health`, as clients of the API know it; probes use the z-pages."""

from fastapi import APIRouter, Request

from bedplate import clock
from bedplate.database import Database
from bedplate.openapi import errors
from bedplate.problems import ServiceUnavailable
from tasks.schemas import HealthStatus

router = APIRouter(tags=["health"])


@router.get("/health", responses=errors(ServiceUnavailable), summary="Is the API up?")
async def health(request: Request) -> HealthStatus:
    """Return the time when the database answers. Raises `DatabaseUnavailable`."""
    database: Database = request.state.database
    await database.ping()
    return HealthStatus(status="healthy", timestamp=clock.now())
