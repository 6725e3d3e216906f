"""The tasks backend as production runs it, everything on.

Session check and its user, sliding-window rate limits on Redis, idempotency, ETags, problem
documents, request id, access log (JSON, to the null device), metrics, timeouts, body limits, CORS.
Only the rate limits' numbers are higher, or the measuring would be refused.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bedplate.application import create_app
from bedplate.rate_limits import Budget, Limiter
from bedplate.rate_limits.budget import Decision
from bedplate.state import opened
from benchmarks.cases import task_requests
from benchmarks.contender import Contender
from benchmarks.logs import log_to_null
from benchmarks.seed import SESSION_HASH_SECRET
from tasks.backend import backend
from tasks.settings import TasksSettings
from tasks.state import TasksState

_NEVER_REACHED = 1_000_000_000


class GenerousLimiter(Limiter):
    """Counts and decides as the limiter does, on budgets that nobody spends."""

    async def hit(self, budget: Budget, *key: str) -> Decision:
        """Decide as for a budget of a billion."""
        return await super().hit(Budget(_NEVER_REACHED, budget.seconds), *key)


@asynccontextmanager
async def open_limiter(settings: TasksSettings) -> AsyncIterator[Limiter]:
    """Yield the limiter that takes the place of the default one."""
    url = settings.redis_url
    async with GenerousLimiter(
        url.get_secret_value() if url else None, namespace="tasks"
    ) as limiter:
        yield limiter


class MeasuredState(TasksState):
    """The state of the backend, with a limiter that refuses nobody."""

    limiter: Limiter = opened(open_limiter)


async def build(database_url: str, redis_url: str) -> Contender:
    """Return the app with its production settings."""
    log_to_null()
    settings = TasksSettings.load(
        environment="production",
        database_url=database_url,
        redis_url=redis_url,
        session_hash_secret=SESSION_HASH_SECRET,
        cors_origins=["https://app.example.com"],
    )
    measured = replace(backend, state=MeasuredState)
    return Contender(create_app(measured, settings), task_requests())
