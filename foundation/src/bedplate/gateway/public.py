"""Which public hosts a backend has, and where its process is behind the gateway."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from bedplate.backend import Backend
from bedplate.gateway.exceptions import GatewayError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class PublicService:
    """A backend as a gateway sees it: what the world calls it, and where to send that.

    `path` is a prefix without its last slash, empty for most.
    """

    name: str
    hosts: tuple[str, ...]
    protocol: str
    upstream_host: str
    upstream_port: int
    path: str = ""


def public_services(
    backends: Iterable[Backend],
    *,
    upstream: str = "http://{name}:8000",
    hosts: Mapping[str, Sequence[str]] | None = None,
) -> list[PublicService]:
    """Return the services of these backends, in the order of their names.

    `upstream` is the address of a backend's process, with `{name}` for its name. `hosts` are public
    hosts by a backend's name that count instead of the declared ones. Raises `GatewayError` for a
    backend without a public host, and for a host that two backends want.
    """
    given = hosts or {}
    found = sorted(backends, key=lambda one: one.name)
    if unknown := sorted(given.keys() - {one.name for one in found}):
        raise GatewayError(f"There is no backend {unknown[0]} to give a host to.")
    services = [_service(one, upstream, given.get(one.name) or public_hosts(one)) for one in found]
    _refuse_shared_hosts(services)
    _refuse_shared_upstreams(services)
    return services


def public_hosts(backend: Backend) -> tuple[str, ...]:
    """Return the declared hosts, or else those of the servers that the contract names.

    Addresses, templates and hosts of this machine are none. Raises `ContractError` when the
    contract can't be read.
    """
    if backend.hosts or backend.contract is None:
        return tuple(backend.hosts)
    servers = backend.contract.load().extended.get("servers", [])
    named = (urlsplit(server["url"]).hostname or "" for server in servers)
    return tuple(dict.fromkeys(host for host in named if _is_public(host)))


def _is_public(host: str) -> bool:
    if "{" in host or "." not in host or host.endswith(".localhost"):
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def _service(backend: Backend, upstream: str, hosts: Sequence[str]) -> PublicService:
    if not hosts:
        raise GatewayError(
            f"The backend {backend.name} has no public host: declare `hosts`, or give it one."
        )
    parts = _address(upstream.replace("{name}", backend.name))
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return PublicService(
        backend.name, tuple(hosts), parts.scheme, parts.hostname or "", port, parts.path.rstrip("/")
    )


def _address(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        fits = parts.scheme in _DEFAULT_PORTS and parts.hostname and (parts.port or 1)
    except ValueError:
        fits = False
    if not fits or "@" in parts.netloc or parts.query or parts.fragment or "{" in url:
        raise GatewayError("An upstream looks like http://{name}:8000.")
    return parts


def _refuse_shared_hosts(services: Sequence[PublicService]) -> None:
    owners: dict[str, str] = {}
    for service in services:
        for host in service.hosts:
            other = owners.setdefault(host, service.name)
            if other != service.name:
                raise GatewayError(f"Both {other} and {service.name} want the host {host}.")


def _refuse_shared_upstreams(services: Sequence[PublicService]) -> None:
    """Refuse a fixed upstream for several: all but one of them would be unreachable."""
    places = {(one.upstream_host, one.upstream_port, one.path) for one in services}
    if len(places) < len(services):
        raise GatewayError("An upstream for several backends needs {name} in it.")
