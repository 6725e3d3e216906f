"""The only source of ids and secrets, so that a test can set them."""

import secrets
from collections.abc import Callable
from uuid import UUID

_random_bytes: Callable[[int], bytes] = secrets.token_bytes


def request_id() -> str:
    """Return 32 random hexadecimal digits: also a valid W3C trace id."""
    return _random_bytes(16).hex()


def uuid() -> UUID:
    """Return a random UUID (RFC 9562, version 4)."""
    return UUID(bytes=_random_bytes(16), version=4)


def token(size: int = 32) -> str:
    """Return a secret of `size` random bytes, in hexadecimal digits."""
    return _random_bytes(size).hex()


def use(random_bytes: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Make `random_bytes` the source of randomness, and return the previous one."""
    global _random_bytes
    previous, _random_bytes = _random_bytes, random_bytes
    return previous
