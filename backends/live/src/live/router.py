"""HTTP: what the API is, and whether it and its database are alive."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from bedplate.database import Database
from bedplate.openapi import errors
from bedplate.problems import ServiceUnavailable
from bedplate.state import from_state

router = APIRouter(tags=["health"])


class HealthStatus(BaseModel):
    """That something answers."""

    status: str


@router.get("/health", summary="Is the API alive?")
async def health() -> HealthStatus:
    """Return at once: whether the database answers is another question."""
    return HealthStatus(status="healthy")


@router.get("/health/db", responses=errors(ServiceUnavailable), summary="Is the database there?")
async def health_db(database: Annotated[Database, from_state(Database)]) -> HealthStatus:
    """Return when the database answers."""
    await database.ping()
    return HealthStatus(status="healthy")
