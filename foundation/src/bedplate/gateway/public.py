"""The public hosts of a backend, and the address of its process behind the gateway."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from bedplate.backend import Backend
from bedplate.gateway.exceptions import GatewayError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class PublicService:
    """A backend as a gateway sees it: its public hosts, and the address of its process.

    `path` is a prefix without its last slash, usually empty.
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

    `upstream` is the address of a backend's process, with `{name}` for its name. `hosts` are the
    public hosts of a backend by its name, instead of the declared ones. Raises `GatewayError` for a
    backend without a public host, and for a host of two backends.
    """
    hosts = hosts or {}
    by_name = {backend.name: backend for backend in backends}
    if unknown := sorted(hosts.keys() - by_name.keys()):
        raise GatewayError(f"There is no backend {unknown[0]} to give a host to.")
    services = [
        _service(backend, upstream, hosts.get(name) or public_hosts(backend))
        for name, backend in sorted(by_name.items())
    ]
    _refuse_shared_hosts(services)
    # With one fixed address, only one of several backends would be reachable.
    places = {(each.upstream_host, each.upstream_port, each.path) for each in services}
    if len(places) < len(services):
        raise GatewayError("An upstream for several backends needs {name} in it.")
    return services


def public_hosts(backend: Backend) -> tuple[str, ...]:
    """Return the declared hosts, or else those of the contract's `servers`.

    Addresses, templates and `localhost` don't count. Raises `ContractError` for a contract that
    can't be read.
    """
    if backend.hosts or backend.contract is None:
        return tuple(backend.hosts)
    servers = backend.contract.load().extended.get("servers", [])
    hosts = (urlsplit(server["url"]).hostname or "" for server in servers)
    return tuple(dict.fromkeys(host for host in hosts if _is_public(host)))


def ip_version(host: str) -> int | None:
    """Return 4 or 6 for an IP address, None for a name."""
    try:
        return ip_address(host).version
    except ValueError:
        return None


def _is_public(host: str) -> bool:
    named = "." in host and "{" not in host and not host.endswith(".localhost")
    return named and ip_version(host) is None


def _service(backend: Backend, upstream: str, hosts: Sequence[str]) -> PublicService:
    if not hosts:
        raise GatewayError(
            f"The backend {backend.name} has no public host: declare `hosts`, or pass --host."
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
                raise GatewayError(f"Both {other} and {service.name} have the host {host}.")
