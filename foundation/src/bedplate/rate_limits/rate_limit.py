from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.requests import HTTPConnection

from bedplate.asgi.client_address import client_key
from bedplate.problems import TooManyRequests
from bedplate.rate_limits.budget import Budget, Decision, leave_headers
from bedplate.rate_limits.limiter import Limiter

_client_key = lru_cache(maxsize=4_096)(client_key)  # parsing an address takes longer than counting
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

DeclaredBudget = Budget | None | Callable[[Any], Budget | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class RateLimit:
    """Charges requests to budgets: `Depends(RateLimit(read=Budget(100), write=Budget(30)))`.

    Safe methods (GET, HEAD, OPTIONS) and WebSocket handshakes spend `read`, all others `write`.
    `None` is no limit; a function returns the budget for the backend's settings. A budget belongs
    to the principal, else to the client's address. Invalid credentials spend `failed_proofs`, if
    declared, for any method. Limits of different `scope` are counted separately, limits of equal
    scope and budget together.

    Needs a `Limiter` at `request.state.limiter`, and adds headers to
    `request.state.response_headers`, which `bedplate.asgi` sends with every response.
    """

    read: DeclaredBudget
    write: DeclaredBudget
    failed_proofs: DeclaredBudget = None
    scope: str = ""

    async def __call__(self, connection: HTTPConnection) -> None:
        """Charge the principal at `request.state.principal_id`, else the client's address."""
        await self.charge(connection, _state(connection).get("principal_id"))

    async def charge(self, connection: HTTPConnection, principal_id: str | None) -> None:
        """Charge one request to `principal_id`, or to the client's address when it is None.

        Raises `TooManyRequests` when the budget is spent, and `ServiceUnavailable` when Redis is
        unavailable and the limiter's policy is to refuse.
        """
        if connection.scope.get("method", "GET") in _READS:
            await self._spend(connection, self.read, "read", principal_id)
        else:
            await self._spend(connection, self.write, "write", principal_id)

    async def charge_failed_proof(self, connection: HTTPConnection) -> None:
        """Charge invalid credentials to the client's address. Raises as `charge`."""
        if self.failed_proofs is None:
            await self.charge(connection, None)
        else:
            await self._spend(connection, self.failed_proofs, "failed proofs", None)

    async def _spend(
        self,
        connection: HTTPConnection,
        budget: DeclaredBudget,
        kind: str,
        principal_id: str | None,
    ) -> None:
        state = _state(connection)
        state["rate_limit_charged"] = True
        if callable(budget):
            budget = budget(state["settings"])
        if budget is None:
            return
        limiter = state.get("limiter")
        if not isinstance(limiter, Limiter):
            raise TypeError("A RateLimit needs a Limiter in the lifespan's state: {'limiter': …}.")
        if principal_id is not None:
            payer = f"principal:{principal_id}"
        else:
            client = connection.scope.get("client")
            payer = f"address:{_client_key(client[0] if client else None)}"
        decision = await limiter.hit(budget, self.scope, kind, payer)
        leave_headers(state, decision)
        if not decision.allowed:
            raise _too_many_requests(decision)

    async def charge_once(self, connection: HTTPConnection) -> None:
        """Charge the client's address, unless this request is charged already. Raises as `charge`.

        For requests that are refused before any dependency runs, such as malformed JSON.
        """
        if "rate_limit_charged" not in _state(connection):
            await self.charge(connection, None)


def _state(connection: HTTPConnection) -> dict[str, Any]:
    state: dict[str, Any] = connection.scope.setdefault("state", {})
    return state


def _too_many_requests(decision: Decision) -> TooManyRequests:
    return TooManyRequests(
        f"At most {decision.limit} requests in {decision.window_seconds} seconds; "
        f"the next one passes in {decision.retry_after}.",
        retry_after=decision.retry_after,
        rate_limit_info={
            "limit": decision.limit,
            "remaining": decision.remaining,
            "reset": decision.reset,
            "window_seconds": decision.window_seconds,
        },
    )
