"""What routes ask for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from bedplate.auth import SESSION_COOKIE, Guard, Principal, not_proven
from bedplate.conditional.idempotency import Idempotency, OnceForKey
from bedplate.rate_limits import Budget, RateLimit
from tasks.models import idempotency_keys

rate_limit = RateLimit(read=Budget(100, 60), write=Budget(30, 60))
guard = Guard(rate_limit=rate_limit, alternatives={"session_cookie": SESSION_COOKIE})
idempotency = Idempotency(idempotency_keys)


async def user_id(principal: Annotated[Principal, Depends(guard)]) -> UUID:
    """Return the id of the user who asks. Raises `Unauthorized` for ids that are no UUID."""
    try:
        return UUID(principal.id)
    except ValueError:
        raise not_proven() from None


UserId = Annotated[UUID, Depends(user_id)]
Once = Annotated[OnceForKey, Depends(idempotency)]
