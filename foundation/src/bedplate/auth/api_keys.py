"""API keys in a header, each with a name and scopes."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from pydantic import SecretStr

from bedplate.auth.credentials import header
from bedplate.auth.principal import Principal


@dataclass(frozen=True)
class APIKeyEntry:
    """One key: who holds it, and what it may do."""

    name: str
    key: SecretStr
    scopes: frozenset[str] = frozenset()


class APIKeys:
    """Proves the holder of a key.

    Every key is compared, by its digest and in constant time, so that neither the number of equal
    characters nor the length or place of a key shows in the time it takes.
    """

    def __init__(self, entries: Iterable[APIKeyEntry], *, header_name: str = "X-API-Key") -> None:
        self._header = header_name.lower().encode("ascii")
        self._keys = [
            (
                _digest(entry.key.get_secret_value().encode()),
                Principal("api_key", entry.name, entry.scopes),
            )
            for entry in entries
        ]

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the holder of the key in the header, or None."""
        sent = header(connection, self._header)
        if sent is None:
            return None
        digest = _digest(sent)
        found: Principal | None = None
        for expected, principal in self._keys:
            if hmac.compare_digest(digest, expected):
                found = principal
        return found


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
