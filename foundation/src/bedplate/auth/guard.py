"""The guard of a route: authentication first, then the rate limit, as one FastAPI dependency."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityModel
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from bedplate.auth.principal import Principal, Verifier, unauthorized
from bedplate.auth.refusals import count_refusal
from bedplate.problems import Forbidden
from bedplate.rate_limits import RateLimit

BEARER = HTTPBearer(description="The session token that the auth server issued")
"""OpenAPI: a session token in `Authorization: Bearer`."""

SESSION_COOKIE_NAME = "better-auth.session_token"
"""The name of better-auth's session cookie, where the server doesn't choose another."""


def session_cookie(name: str) -> APIKey:
    """Return the scheme, for OpenAPI, of a session cookie with this name."""
    return APIKey.model_validate({"in": APIKeyIn.cookie, "name": name})


SESSION_COOKIE = session_cookie(SESSION_COOKIE_NAME)
"""OpenAPI: better-auth's session cookie."""

API_KEY = APIKey.model_validate({"in": APIKeyIn.header, "name": "X-API-Key"})
"""OpenAPI: an API key in the header `X-API-Key`."""


Schemes = Mapping[str, SecurityModel]


@dataclass(kw_only=True, eq=False)
class Guard(SecurityBase):
    """Accepts a request with valid credentials whose rate limit allows it: `Depends(Guard(…))`.

    The verifier is the lifespan's state named `verifier`, so that a setting can choose it. Invalid
    credentials are charged to the client's address, valid ones to the principal: tokens can't be
    guessed quickly, and users behind one address don't share a budget. `alternatives` are further
    schemes that the verifier accepts, by name, for the OpenAPI document, or what returns them for
    the settings.
    Raises `Unauthorized`, `Forbidden`, `TooManyRequests`.
    """

    verifier: str = "verifier"
    rate_limit: RateLimit | None = None
    scopes: Collection[str] = ()
    model: SecurityModel = field(default_factory=lambda: BEARER)
    scheme_name: str = "session"
    challenge: str = "Bearer"
    alternatives: Schemes | Callable[[Any], Schemes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scopes = frozenset(self.scopes)

    def requiring(self, *scopes: str) -> Self:
        """Return a guard that also requires these scopes."""
        return replace(self, scopes={*self.scopes, *scopes})

    async def __call__(self, connection: HTTPConnection) -> Principal:
        """Return the principal."""
        state = connection.scope.setdefault("state", {})
        verifier: Verifier | None = state.get(self.verifier)
        if verifier is None:
            raise TypeError(f"A Guard needs a {self.verifier!r} in the lifespan's state.")
        principal = await verifier.verify(connection)
        if principal is None:
            count_refusal(connection)
            if self.rate_limit is not None:
                await self.rate_limit.charge_failed_proof(connection)
            raise unauthorized(self.challenge)
        state["principal_id"] = principal.id
        if self.rate_limit is not None:
            await self.rate_limit.charge(connection, principal.id)
        if not principal.scopes.issuperset(self.scopes):
            raise Forbidden("Your key or session doesn't grant this.")
        return principal
