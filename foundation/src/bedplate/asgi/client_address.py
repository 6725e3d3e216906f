import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

_MAX_ADDRESS_LENGTH = 64
_MAX_HOPS = 32
_SITE_PREFIX_LENGTH = 64
_SCHEMES = {"http": {b"http": "http", b"https": "https"}, "websocket": {b"http": "ws"}}
_SCHEMES["websocket"] |= {b"https": "wss", b"ws": "ws", b"wss": "wss"}
_WITH_PORT = re.compile(r"\[([^]]*)\](?::\d+)?|([^:]*):\d+")

Address = IPv4Address | IPv6Address


class TrustedProxies:
    """Sets `scope["client"]` and `scope["scheme"]` from the headers of trusted proxies.

    `trusted` are addresses and networks (CIDR). When the peer is one of them, `X-Forwarded-For` is
    read from right to left, past further trusted proxies: the first other address is the client's.
    Addresses further left may be forged and are ignored; a value that isn't an address ends the
    search. `X-Forwarded-Proto` of a trusted peer is the scheme. Raises `ValueError` for an invalid
    network.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        self.app = app
        self._networks = tuple(ip_network(network, strict=False) for network in trusted)
        self._trusts = lru_cache(maxsize=1024)(self._is_trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Resolve the client of a request or a WebSocket, and pass it on."""
        if scope["type"] in {"http", "websocket"} and (peer := scope.get("client")):
            address = parse_address(peer[0])
            if address is not None and self._trusts(address):
                self._resolve(scope, address)
        await self.app(scope, receive, send)

    def _resolve(self, scope: Scope, peer: Address) -> None:
        forwarded: list[bytes] = []
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                forwarded += value.split(b",")
            elif name == b"x-forwarded-proto":
                scheme = _SCHEMES[scope["type"]].get(value.strip().lower())
                scope["scheme"] = scheme or scope.get("scheme", "http")
        client = peer
        for hop in forwarded[: -_MAX_HOPS - 1 : -1]:
            address = parse_address(hop.decode("latin-1"))
            if address is None:
                break
            client = address
            if not self._trusts(address):
                break
        if client != peer:
            scope["client"] = (str(client), 0)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def parse_address(text: str) -> Address | None:
    """Return the address in `text` without IPv6 scope, brackets and port, or None.

    An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is returned as IPv4,
    so that a client has one address.
    """
    text = text.strip()
    if len(text) > _MAX_ADDRESS_LENGTH:
        return None
    if match := _WITH_PORT.fullmatch(text):
        text = match[1] or match[2] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def client_key(address: str | None) -> str:
    """Return the key under which a client's requests are counted.

    An IPv6 client has a whole /64 and could use a new address each time, so the /64 is the key. Any
    other text (a Unix socket, a test) is its own key.
    """
    parsed = parse_address(address or "")
    if parsed is None:
        return address or "unknown"
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, _SITE_PREFIX_LENGTH), strict=False))
    return str(parsed)
