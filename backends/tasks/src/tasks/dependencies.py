"""What routes ask for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from bedplate.auth import SESSION_COOKIE, Guard, unauthorized
from bedplate.conditional.idempotency import Idempotency, IdempotentRequest
from bedplate.rate_limits import Budget, RateLimit
from tasks.models import idempotency_keys
from tasks.settings import TasksSettings


def _reads(settings: TasksSettings) -> Budget:
    return Budget(settings.reads_per_minute)


def _writes(settings: TasksSettings) -> Budget:
    return Budget(settings.writes_per_minute)


rate_limit = RateLimit(read=_reads, write=_writes)
guard = Guard(rate_limit=rate_limit, alternatives={"session_cookie": SESSION_COOKIE})
idempotency = Idempotency(idempotency_keys)


class CurrentUser(SecurityBase):
    """The guard, for users, whose ids are UUIDs. One dependency: each costs every request."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.model = guard.model
        self.scheme_name = guard.scheme_name

    async def __call__(self, connection: HTTPConnection) -> UUID:
        """Return the id of the user who asks. Raises `Unauthorized` for ids that are no UUID."""
        principal = await self.guard(connection)
        try:
            return UUID(principal.id)
        except ValueError:
            raise unauthorized() from None


UserId = Annotated[UUID, Depends(CurrentUser(guard))]
Once = Annotated[IdempotentRequest, Depends(idempotency)]
