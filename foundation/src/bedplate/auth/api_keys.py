"""API keys in a header, each with a name and scopes."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from pydantic import SecretStr

from bedplate.auth.credentials import header
from bedplate.auth.principal import Principal
from bedplate.auth.refusals import Refused, note_refusal
from bedplate.auth.signatures import secret_bytes


@dataclass(frozen=True)
class APIKeyEntry:
    """One key: its holder and its scopes."""

    name: str
    key: SecretStr
    scopes: frozenset[str] = frozenset()


class APIKeys:
    """Authenticates the holder of an API key.

    The digests of all keys are compared in constant time, so that the time reveals neither equal
    characters nor a key's length or position. One name may have several keys, so that they can be
    replaced one after the other. Raises `ValueError` for an empty key and for a duplicate.
    """

    def __init__(self, entries: Iterable[APIKeyEntry], *, header_name: str = "X-API-Key") -> None:
        self._header = header_name.lower().encode("ascii")
        self._keys: dict[bytes, Principal] = {}
        for entry in entries:
            key = secret_bytes(entry.key)
            if not key.strip():
                raise ValueError(f"The API key of {entry.name} is empty.")
            digest = hashlib.sha256(key).digest()
            if digest in self._keys:
                raise ValueError(f"{entry.name} has an API key that is somebody else's too.")
            self._keys[digest] = Principal("api_key", entry.name, entry.scopes)

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the holder of the key in the header, or None."""
        key = header(connection, self._header)
        holder = None if key is None else self.holder(key)
        if holder is None:
            note_refusal(connection, Refused("no_credentials" if key is None else "unknown_key"))
        return holder

    def holder(self, key: bytes) -> Principal | None:
        """Return the holder of a key, or None."""
        digest = hashlib.sha256(key).digest()
        holder: Principal | None = None
        for expected, principal in self._keys.items():
            if hmac.compare_digest(digest, expected):
                holder = principal
        return holder
