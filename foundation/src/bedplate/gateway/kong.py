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
"""Longer than a backend's `REQUEST_TIMEOUT_SECONDS` (30), so that its 504 gets through."""

PROBE_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What Kong shows on TLS connections: PEM or a reference, and a reference to its key.

    `names` are the server names (SNI) it is for; none are those of every host.
    """

    certificate: str
    key: str
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse a private key: a file that a repository or a ConfigMap holds is no place."""
        if not is_reference(self.key) or "PRIVATE KEY" in self.certificate:
            raise GatewayError(
                "A private key is named by a reference such as {vault://env/tls-key}, never given."
            )
        if not is_reference(self.certificate) and "BEGIN CERTIFICATE" not in self.certificate:
            raise GatewayError("A certificate is a PEM file or a reference: {vault://env/tls-cert}")


@dataclass(frozen=True, kw_only=True)
class KongOptions:
    """What belongs to a gateway rather than to a backend.

    format         3.0 is for Kong 3.6 and later, 2.1 for Kong 2.x
    certificate    with one, plain HTTP is redirected
    consumers      API keys by the name of who holds them; with any, no request passes without one
    rate_limits    what one consumer, or one address where there are no consumers, may ask for
    request_id     hand every request an X-Request-ID, and the client too
    prometheus     metrics of the gateway itself, at its status port
    health_checks  ask every target for /readyz, and leave out those that aren't ready
    """

    format: Literal["3.0", "2.1"] = "3.0"
    certificate: Certificate | None = None
    consumers: Mapping[str, str] = field(default_factory=dict)
    rate_limits: RateLimits | None = None
    request_id: bool = True
    prometheus: bool = False
    health_checks: bool = False


def kong_document(services: Sequence[PublicService], options: KongOptions) -> Document:
    """Return the configuration, the same for the same input, and valid by our schema of it.

    Raises `GatewayError`.
    """
    if not services:
        raise GatewayError("There is no backend with a public host.")
    document: Document = {"_format_version": options.format, "_transform": True}
    document["services"] = [_service(one, options) for one in services]
    if options.health_checks:
        document["upstreams"] = [_upstream(one) for one in services]
    if options.certificate is not None:
        document["certificates"] = [_certificate(options.certificate, services)]
    if options.consumers:
        document["consumers"] = [_consumer(*one) for one in sorted(options.consumers.items())]
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
    """Whether this is a reference into one of Kong's vaults."""
    return value.startswith("{vault://") and value.endswith("}")


def _service(service: PublicService, options: KongOptions) -> Document:
    host = _upstream_name(service) if options.health_checks else service.upstream_host
    found: Document = {
        "name": service.name,
        "protocol": service.protocol,
        "host": host,
        "port": service.upstream_port,
    }
    if service.path:
        found["path"] = service.path
    found |= {
        "connect_timeout": CONNECT_MILLISECONDS,
        "read_timeout": ANSWER_MILLISECONDS,
        "write_timeout": ANSWER_MILLISECONDS,
        "routes": [_route(service, tls_only=options.certificate is not None)],
    }
    return found


def _route(service: PublicService, *, tls_only: bool) -> Document:
    found: Document = {
        "name": service.name,
        "hosts": list(service.hosts),
        "protocols": ["https"] if tls_only else ["http", "https"],
        # The backend makes its links for the host that the client knows.
        "preserve_host": True,
        "strip_path": False,
    }
    if tls_only:
        found["https_redirect_status_code"] = 308
    return found


def _upstream_name(service: PublicService) -> str:
    return f"{service.name}.upstream"


def _upstream(service: PublicService) -> Document:
    healthy = {"interval": PROBE_SECONDS, "successes": 1, "http_statuses": [200]}
    unhealthy = {"interval": PROBE_SECONDS, "http_failures": 1, "tcp_failures": 2, "timeouts": 3}
    active = {
        "type": service.protocol,
        "http_path": f"{service.path}/readyz",
        # A check of readiness itself takes up to a second.
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
    names = list(certificate.names) or [host for one in services for host in one.hosts]
    return {
        # Kong makes stable ids of names, and a certificate has none.
        "id": str(uuid5(NAMESPACE_URL, "certificate:" + ",".join(names))),
        "cert": certificate.certificate,
        "key": certificate.key,
        "snis": [{"name": name} for name in names],
    }


def _consumer(name: str, key: str) -> Document:
    return {"username": name, "keyauth_credentials": [{"key": key}]}
