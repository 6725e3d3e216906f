"""Who may do what: open to everyone without keys, else by the keys' roles and tenants."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Final

import structlog
from fastapi import Security
from fastapi.requests import HTTPConnection

from audits.settings import AuditsSettings
from bedplate.auth import Guard, Principal, Verifier
from bedplate.auth.api_keys import APIKeyEntry, APIKeys
from bedplate.auth.guard import API_KEY
from bedplate.backend import CORSPolicy
from bedplate.problems import Forbidden, Unauthorized
from bedplate.rate_limits import Budget, RateLimit

WRITE: Final = "write"
READ: Final = "read"
ADMIN: Final = "admin"
DEFAULT_TENANT: Final = "default"
_OPEN: Final = "open"
_TENANT: Final = "tenant:"
_ROLES: Final = {
    "writer": frozenset({WRITE}),
    "reader": frozenset({READ}),
    "admin": frozenset({WRITE, READ, ADMIN}),
}

# The source design has no rate limit; only guesses of keys are limited.
rate_limit = RateLimit(read=None, write=None, failed_proofs=Budget(30))
cors = CORSPolicy(development_origins=["*"], allow_credentials=False)
guard = Guard(rate_limit=rate_limit, model=API_KEY, scheme_name="api_key", challenge="APIKey")

CurrentWriter = Annotated[Principal, Security(guard.requiring(WRITE), scopes=[WRITE])]
"""Who may record."""

CurrentReader = Annotated[Principal, Security(guard.requiring(READ), scopes=[READ])]
"""Who may read, export and verify."""

CurrentAdmin = Annotated[Principal, Security(guard.requiring(ADMIN), scopes=[ADMIN])]
"""Who may delete too."""


class ModelGuard(Guard):
    """The guard of routes that cost money: they need a key, unless the settings let everyone in."""

    async def __call__(self, connection: HTTPConnection) -> Principal:
        """Return the principal. Raises as `Guard` does, and `Unauthorized` without a key."""
        principal = await super().__call__(connection)
        settings: AuditsSettings = connection.scope["state"]["settings"]
        if is_open(principal) and not settings.openai_open:
            raise Unauthorized(
                "The language model needs a key: set AUDITS_API_KEYS, or AUDITS_OPENAI_OPEN=true.",
                headers={"WWW-Authenticate": self.challenge},
            )
        return principal


_model_guard = ModelGuard(
    rate_limit=rate_limit,
    scopes=[READ],
    model=API_KEY,
    scheme_name="api_key",
    challenge="APIKey",
)
CurrentModelUser = Annotated[Principal, Security(_model_guard, scopes=[READ])]
"""Who may use the language model."""


class Everyone:
    """Lets everyone do everything: what holds while no keys are set."""

    async def verify(self, connection: HTTPConnection) -> Principal:  # noqa: ARG002
        """Return the one principal that there is."""
        return Principal(_OPEN, "everyone", _ROLES["admin"])


@contextlib.asynccontextmanager
async def open_verifier(settings: AuditsSettings) -> AsyncIterator[Verifier]:
    """Yield the verifier of the keys that are set."""
    if settings.api_keys:
        yield APIKeys(
            APIKeyEntry(
                key.name,
                key.key,
                _ROLES[key.role] | ({f"{_TENANT}{key.tenant}"} if key.tenant else set()),
            )
            for key in settings.api_keys
        )
        return
    if settings.production:
        structlog.get_logger("audits").warning(
            "audits_open_to_everyone",
            message="Everyone may record and read: set AUDITS_API_KEYS to change that.",
        )
    yield Everyone()


def is_open(principal: Principal) -> bool:
    """Return whether this is everyone, since no keys are set."""
    return principal.kind == _OPEN


def tenant_for(principal: Principal, asked: str | None) -> str:
    """Return the tenant that a request is about. Raises `Forbidden` for another than the key's."""
    bound = next(
        (scope.removeprefix(_TENANT) for scope in principal.scopes if scope.startswith(_TENANT)),
        None,
    )
    if bound is not None and asked not in {None, bound}:
        raise Forbidden("Your key is for another tenant.")
    return bound or asked or DEFAULT_TENANT
