"""Kong's declarative configuration (DB-less mode, `KONG_DECLARATIVE_CONFIG`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from bedplate.gateway.exceptions import GatewayError
from bedplate.gateway.plugins import RateLimits, plugins_of
from bedplate.gateway.public import PublicService
from bedplate.gateway.schema import refuse_invalid

Document = dict[str, Any]

CONNECT_MILLISECONDS = 5_000
ANSWER_MILLISECONDS = 60_000
"""Longer than a backend's `REQUEST_TIMEOUT_SECONDS` (30), so that clients see its 504."""

PROBE_SECONDS = 2


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


def kong_document(services: Sequence[PublicService], options: KongOptions) -> Document:
    """Return the configuration, checked against our schema; the same input gives the same output.

    Raises `GatewayError`.
    """
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
    document["plugins"] = plugins_of(
        options.rate_limits,
        key_auth=bool(options.consumers),
        request_id=options.request_id,
        prometheus=options.prometheus,
        nested_redis=options.format == "3.0",
    )
    document = {key: value for key, value in document.items() if value != []}
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
