"""Kong's plugins that apply to every service behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.gateway.exceptions import GatewayError

Document = dict[str, Any]

PERIODS = ("second", "minute", "hour", "day", "month", "year")
"""The periods of Kong's rate limits, the shortest first."""

_REDIS_PORT = 6379


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """Requests per period: `{"minute": 600}`; counted in Redis, or by each Kong separately.

    `redis` is "host" or "host:port". `redis_password` is a reference into a vault.
    """

    limits: Mapping[str, int]
    redis: str | None = None
    redis_password: str | None = None

    def __post_init__(self) -> None:
        """Refuse what Kong refuses, such as a lower limit for a longer period."""
        if not self.limits or set(self.limits) - set(PERIODS):
            raise GatewayError(f"A rate limit is a number per {', '.join(PERIODS)}.")
        numbers = [self.limits[period] for period in PERIODS if period in self.limits]
        if numbers != sorted(numbers) or numbers[0] < 1:
            raise GatewayError("A longer period needs a larger limit, and each at least 1.")
        if self.redis_password and not self.redis_password.startswith("{vault://"):
            raise GatewayError(
                "Name the password of Redis by a reference: {vault://env/redis-password}."
            )
        if self.redis_password and not self.redis:
            raise GatewayError("A password of Redis needs the address of Redis.")

    def redis_address(self) -> tuple[str, int]:
        """Return host and port. Raises `GatewayError` for a port that isn't a number."""
        host, _, port = (self.redis or "").partition(":")
        if not host or (port and not port.isdecimal()):
            raise GatewayError("The address of Redis looks like redis:6379.")
        return host, int(port or _REDIS_PORT)


def plugins_of(
    rate_limits: RateLimits | None,
    *,
    key_auth: bool,
    request_id: bool,
    prometheus: bool,
    nested_redis: bool,
) -> list[Document]:
    """Return the plugins; Kong runs them by priority, not in this order.

    `nested_redis`: Kong 3.6 and later have the fields of Redis in an object of their own.
    """
    plugins: list[Document] = []
    if request_id:
        # `uuid#counter`, Kong's default, has a character that backends refuse in an id.
        config = {"header_name": "X-Request-ID", "generator": "uuid", "echo_downstream": True}
        plugins.append({"name": "correlation-id", "config": config})
    if key_auth:
        plugins.append({"name": "key-auth", "config": _key_auth()})
    if rate_limits is not None:
        limit_by = "consumer" if key_auth else "ip"
        config = _rate_limiting(rate_limits, limit_by, nested_redis=nested_redis)
        plugins.append({"name": "rate-limiting", "config": config})
    if prometheus:
        plugins.append({"name": "prometheus"})
    return plugins


def _key_auth() -> Document:
    return {
        "key_names": ["X-API-Key"],
        "key_in_header": True,
        # A key in the query would appear in access logs.
        "key_in_query": False,
        "key_in_body": False,
        "hide_credentials": True,
        # A browser's preflight request has no key.
        "run_on_preflight": False,
    }


def _rate_limiting(limits: RateLimits, limit_by: str, *, nested_redis: bool) -> Document:
    config: Document = {p: limits.limits[p] for p in PERIODS if p in limits.limits}
    config |= {"limit_by": limit_by, "policy": "redis" if limits.redis else "local"}
    config["fault_tolerant"] = True
    if limits.redis:
        host, port = limits.redis_address()
        redis: Document = {"host": host, "port": port}
        if limits.redis_password:
            redis["password"] = limits.redis_password
        config |= {"redis": redis} if nested_redis else {f"redis_{k}": v for k, v in redis.items()}
    return config
