"""API keys in a header, each with a name and scopes."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from pydantic import SecretStr

from bedplate.auth.credentials import header
from bedplate.auth.principal import Principal
from bedplate.auth.signatures import secret_bytes


@dataclass(frozen=True)
class APIKeyEntry:
    """One key: who holds it, and what it may do."""

    name: str
    key: SecretStr
    scopes: frozenset[str] = frozenset()


class APIKeys:
    """Proves the holder of a key.

    Every key is compared, by its digest and in constant time, so that neither the number of equal
    characters nor the length or place of a key shows in the time it takes. One name may hold
    several keys, so that they can be changed one after the other. Raises `ValueError` for an empty
    key, and for one that two entries share.
    """

    def __init__(self, entries: Iterable[APIKeyEntry], *, header_name: str = "X-API-Key") -> None:
        self._header = header_name.lower().encode("ascii")
        self._keys: dict[bytes, Principal] = {}
        for entry in entries:
            self._add(entry)

    def _add(self, entry: APIKeyEntry) -> None:
        key = secret_bytes(entry.key)
        if not key.strip():
            raise ValueError(f"The API key of {entry.name} is empty.")
        digest = _digest(key)
        if digest in self._keys:
            raise ValueError(f"{entry.name} has an API key that is somebody else's too.")
        self._keys[digest] = Principal("api_key", entry.name, entry.scopes)

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the holder of the key in the header, or None."""
        key = header(connection, self._header)
        return None if key is None else self.holder(key)

    def holder(self, key: bytes) -> Principal | None:
        """Return the holder of a key that came another way than in the header, or None."""
        digest = _digest(key)
        holder: Principal | None = None
        for expected, principal in self._keys.items():
            if hmac.compare_digest(digest, expected):
                holder = principal
        return holder


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
