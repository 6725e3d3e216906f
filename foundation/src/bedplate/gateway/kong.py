"""Kong's declarative configuration (DB-less mode, `KONG_DECLARATIVE_CONFIG`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from bedplate.gateway.exceptions import GatewayError
from bedplate.gateway.public import PublicService
from bedplate.gateway.schema import refuse_invalid

Document = dict[str, Any]

CONNECT_MILLISECONDS = 5_000
ANSWER_MILLISECONDS = 60_000
"""Longer than a backend's `REQUEST_TIMEOUT_SECONDS` (30), so that clients see its 504."""

PROBE_SECONDS = 2

PERIODS = ("second", "minute", "hour", "day", "month", "year")
"""The periods of Kong's rate limits, the shortest first."""

_REDIS_PORT = 6379


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """The certificate of TLS connections, PEM or a reference, and a reference to its key.

    `names` are its server names (SNI); by default every host.
    """

    certificate: str
    key: str
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse a private key: it must not end up in a repository or a ConfigMap."""
        if not is_reference(self.key) or "PRIVATE KEY" in self.certificate:
            raise GatewayError(
                "Name the private key by a reference such as {vault://env/tls-key}, don't pass it."
            )
        if not is_reference(self.certificate) and "BEGIN CERTIFICATE" not in self.certificate:
            raise GatewayError("A certificate is a PEM file or a reference: {vault://env/tls-cert}")


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
        if self.redis_password and not is_reference(self.redis_password):
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


@dataclass(frozen=True, kw_only=True)
class KongOptions:
    """The options of the gateway itself.

    format         3.0 is for Kong 3.6 and later, 2.1 for Kong 2.x
    certificate    if set, plain HTTP is redirected
    consumers      API keys by client name; if any is set, every request needs a key
    rate_limits    limits of each consumer, or of each address if there are no consumers
    request_id     add an X-Request-ID to every request and response
    prometheus     metrics of the gateway itself, at its status port
    health_checks  check /readyz of every target, and send no requests to those that aren't ready
    """

    format: Literal["3.0", "2.1"] = "3.0"
    certificate: Certificate | None = None
    consumers: Mapping[str, str] = field(default_factory=dict)
    rate_limits: RateLimits | None = None
    request_id: bool = True
    prometheus: bool = False
    health_checks: bool = False

    def __post_init__(self) -> None:
        """Refuse references for a Kong that would take them for the secrets themselves."""
        password = self.rate_limits is not None and self.rate_limits.redis_password is not None
        if self.format == "2.1" and (self.certificate is not None or password):
            raise GatewayError(
                "Kong reads references such as {vault://env/tls-key} from version 3.0 on. With "
                "format 2.1 leave the certificate and the password of Redis out."
            )


def kong_document(services: Sequence[PublicService], options: KongOptions) -> Document:
    """Return the configuration, always the same for the same input. Raises `GatewayError`."""
    if not services:
        raise GatewayError("There is no backend with a public host.")
    document: Document = {"_format_version": options.format, "_transform": True}
    document["services"] = [_service(service, options) for service in services]
    if options.health_checks:
        document["upstreams"] = [_upstream(service) for service in services]
    if options.certificate is not None:
        document["certificates"] = [_certificate(options.certificate, services)]
    if options.consumers:
        document["consumers"] = [
            {"username": name, "keyauth_credentials": [{"key": key}]}
            for name, key in sorted(options.consumers.items())
        ]
    if plugins := plugins_of(options):
        document["plugins"] = plugins
    refuse_invalid(document, "kong.yaml")
    return document


def is_reference(value: str) -> bool:
    """Return whether a value is a reference into one of Kong's vaults."""
    return value.startswith("{vault://") and value.endswith("}")


def _service(service: PublicService, options: KongOptions) -> Document:
    host = _upstream_name(service) if options.health_checks else service.upstream_host
    return {
        "name": service.name,
        "protocol": service.protocol,
        "host": host,
        "port": service.upstream_port,
        **({"path": service.path} if service.path else {}),
        "connect_timeout": CONNECT_MILLISECONDS,
        "read_timeout": ANSWER_MILLISECONDS,
        "write_timeout": ANSWER_MILLISECONDS,
        "routes": [_route(service, tls_only=options.certificate is not None)],
    }


def _route(service: PublicService, *, tls_only: bool) -> Document:
    return {
        "name": service.name,
        "hosts": list(service.hosts),
        "protocols": ["https"] if tls_only else ["http", "https"],
        # The links in responses must have the host that the client knows.
        "preserve_host": True,
        "strip_path": False,
        **({"https_redirect_status_code": 308} if tls_only else {}),
    }


def _upstream_name(service: PublicService) -> str:
    return f"{service.name}.upstream"


def _upstream(service: PublicService) -> Document:
    healthy = {"interval": PROBE_SECONDS, "successes": 1, "http_statuses": [200]}
    unhealthy = {"interval": PROBE_SECONDS, "http_failures": 1, "tcp_failures": 2, "timeouts": 3}
    active = {
        "type": service.protocol,
        "http_path": f"{service.path}/readyz",
        # A readiness check can take up to a second.
        "timeout": 3,
        "healthy": healthy,
        "unhealthy": {**unhealthy, "http_statuses": [500, 502, 503, 504]},
    }
    return {
        "name": _upstream_name(service),
        "targets": [{"target": f"{service.upstream_host}:{service.upstream_port}"}],
        "healthchecks": {"active": active},
    }


def _certificate(certificate: Certificate, services: Sequence[PublicService]) -> Document:
    names = list(certificate.names) or [host for service in services for host in service.hosts]
    return {
        # Kong derives stable ids from names, but certificates have no name.
        "id": str(uuid5(NAMESPACE_URL, "certificate:" + ",".join(names))),
        "cert": certificate.certificate,
        "key": certificate.key,
        "snis": [{"name": name} for name in names],
    }


def plugins_of(options: KongOptions) -> list[Document]:
    """Return the plugins of every service; Kong runs them by priority, not in this order."""
    plugins: list[Document] = []
    config: Document
    if options.request_id:
        # `uuid#counter`, Kong's default, has a character that backends refuse in an id.
        config = {"header_name": "X-Request-ID", "generator": "uuid", "echo_downstream": True}
        plugins.append({"name": "correlation-id", "config": config})
    if options.consumers:
        config = {
            "key_names": ["X-API-Key"],
            "key_in_header": True,
            # A key in the query would appear in access logs.
            "key_in_query": False,
            "key_in_body": False,
            "hide_credentials": True,
            # A browser's preflight request has no key.
            "run_on_preflight": False,
        }
        plugins.append({"name": "key-auth", "config": config})
    if options.rate_limits is not None:
        config = _rate_limiting(options.rate_limits, options)
        plugins.append({"name": "rate-limiting", "config": config})
    if options.prometheus:
        plugins.append({"name": "prometheus"})
    return plugins


def _rate_limiting(limits: RateLimits, options: KongOptions) -> Document:
    config: Document = {p: limits.limits[p] for p in PERIODS if p in limits.limits}
    config["limit_by"] = "consumer" if options.consumers else "ip"
    config |= {"policy": "redis" if limits.redis else "local", "fault_tolerant": True}
    if limits.redis:
        host, port = limits.redis_address()
        redis: Document = {"host": host, "port": port}
        if limits.redis_password:
            redis["password"] = limits.redis_password
        # Kong 3.6 and later have the fields of Redis in an object of their own.
        nested = options.format == "3.0"
        config |= {"redis": redis} if nested else {f"redis_{k}": v for k, v in redis.items()}
    return config
