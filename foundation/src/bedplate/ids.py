"""The only source of ids and secrets, so that a test can set them."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_random_bytes: Callable[[int], bytes] = secrets.token_bytes


def request_id() -> str:
    """Return 32 random hexadecimal digits: also a valid W3C trace id."""
    return _random_bytes(16).hex()


def uuid() -> UUID:
    """Return a random UUID (RFC 9562, version 4)."""
    return UUID(bytes=_random_bytes(16), version=4)


def uuid7(now: datetime) -> UUID:
    """Return a UUID that sorts by its time, to a microsecond (RFC 9562, version 7)."""
    milliseconds, rest = divmod((now - _EPOCH) // timedelta(microseconds=1), 1000)
    fraction = rest * 4096 // 1000
    random = int.from_bytes(_random_bytes(8), "big") & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random)


def token(size: int = 32) -> str:
    """Return a secret of `size` random bytes, in hexadecimal digits."""
    return _random_bytes(size).hex()


def use(random_bytes: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Make `random_bytes` the source of randomness, and return the previous one."""
    global _random_bytes
    previous, _random_bytes = _random_bytes, random_bytes
    return previous
