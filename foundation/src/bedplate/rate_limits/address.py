"""Whom a request is charged to when nobody is proven."""

from ipaddress import IPv6Address, ip_address

from starlette.types import Scope

_IPV6_SUBSCRIBER_BITS = 64


def client_key(scope: Scope) -> str:
    """Return the client's address, IPv6 folded to its /64: a subscriber has all of one."""
    client = scope.get("client")
    if client is None:
        return "unknown"
    try:
        address = ip_address(client[0])
    except ValueError:
        return str(client[0])
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    network = int(address) >> _IPV6_SUBSCRIBER_BITS << _IPV6_SUBSCRIBER_BITS
    return f"{IPv6Address(network)}/64"
