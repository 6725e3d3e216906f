"""Who asks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from fastapi.requests import HTTPConnection

from bedplate.problems import Unauthorized


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody, or something, that proved who it is.

    `kind` says how ("user", "api_key"); `id` is what the proof names; `scopes` is what it may do.
    """

    kind: str
    id: str
    scopes: frozenset[str] = field(default_factory=frozenset)

    def has(self, scopes: Iterable[str]) -> bool:
        """Return whether every one of `scopes` is granted."""
        return self.scopes.issuperset(scopes)


class Verifier(Protocol):
    """One way to prove who asks."""

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return who asks, or None when nothing is proven; never say why.

        Raises `ServiceUnavailable` when it can't be told just now.
        """
        ...


def unauthorized(scheme: str = "Bearer") -> Unauthorized:
    """Return the one 401 that every failed proof gets, whatever the reason."""
    return Unauthorized("This needs a valid session or key.", headers={"WWW-Authenticate": scheme})
