from dataclasses import dataclass
from typing import Protocol

from fastapi.requests import HTTPConnection

from bedplate.problems import ServiceUnavailable, Unauthorized


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or program; `kind` says how it authenticated ("user", "api_key")."""

    kind: str
    id: str
    scopes: frozenset[str] = frozenset()


class VerifierUnusable(Exception):
    """A verifier can't work as it is set up; the sentence says why, and what to set right."""


class AuthServerUnavailable(ServiceUnavailable):
    """The auth server can't say at the moment whether credentials are valid."""

    code = "auth_server_unavailable"
    detail = "The auth server is unavailable at the moment; try again."


class Verifier(Protocol):
    """One way to authenticate a request."""

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the principal, or None when the credentials are missing or invalid.

        Raises `ServiceUnavailable` when they can't be checked at the moment. A verifier that
        refuses calls `bedplate.auth.refusals.refuse`, so that operators learn the reason.
        """
        ...


class CheckedVerifier(Verifier, Protocol):
    """A verifier that can prove that it works, before the first request."""

    async def check(self) -> None:
        """Raise `VerifierUnusable` for a mistake, `ServiceUnavailable` for an outage."""
        ...


def unauthorized(scheme: str = "Bearer") -> Unauthorized:
    """Return the 401 for missing and invalid credentials alike."""
    return Unauthorized("This needs a valid session or key.", headers={"WWW-Authenticate": scheme})
