"""Who the client is."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from bedplate.asgi import TrustedProxies, client_key
from bedplate.asgi.client_address import parse_address

TRUSTED = ["10.0.0.0/8", "192.0.2.1", "fd00::/8"]


async def resolve(
    call: Callable[..., Any], peer: str, *forwarded: str, proto: str | None = None, **scope: Any
) -> Scope:
    """Return the scope that arrives behind the layer."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    if proto is not None:
        headers.append((b"x-forwarded-proto", proto.encode()))
    layer = TrustedProxies(app, trusted=TRUSTED)
    await call(layer, headers=headers, client=(peer, 5), **scope)
    return seen[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        ("203.0.113.5", ["6.6.6.6"], "203.0.113.5"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, rubbish, 10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6,"], "10.0.0.1"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["2001:DB8::7"], "2001:db8::7"),
        ("fd00::1", ["[2001:db8::7]"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9:http"], "10.0.0.1"),
        ("10.0.0.1", ["[2001:db8::7"], "10.0.0.1"),
        ("10.0.0.1", ["\xff"], "10.0.0.1"),
        ("10.0.0.1", ["1" * 10_000], "10.0.0.1"),
        ("testclient", ["6.6.6.6"], "testclient"),
    ],
)
async def test_client(
    call: Callable[..., Any], peer: str, forwarded: list[str], client: str
) -> None:
    """The client is the right-most address that isn't a trusted proxy; rubbish ends the walk."""
    assert (await resolve(call, peer, *forwarded))["client"][0] == client


@pytest.mark.parametrize(
    ("peer", "kind", "proto", "scheme"),
    [
        ("10.0.0.1", "http", "https", "https"),
        ("10.0.0.1", "websocket", "https", "wss"),
        ("10.0.0.1", "http", "javascript", "http"),
        ("203.0.113.5", "http", "https", "http"),
    ],
)
async def test_scheme(
    call: Callable[..., Any], peer: str, kind: str, proto: str, scheme: str
) -> None:
    """A trusted peer tells the scheme, if it is one."""
    assert (await resolve(call, peer, proto=proto, type=kind))["scheme"] == scheme


async def test_no_client(call: Callable[..., Any]) -> None:
    """A connection without an address (a Unix socket) passes."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["client"] is None

    await call(TrustedProxies(app, trusted=TRUSTED), client=None)


def test_unreadable_network() -> None:
    """A network that can't be read is refused when it is declared."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(ValueError, match="nonsense"):
        TrustedProxies(app, trusted=["nonsense"])


def test_ipv6_counts_by_site() -> None:
    """All addresses of an IPv6 /64 count as one client, other ones as others."""
    assert client_key("2001:db8::1") == client_key("2001:db8::ffff:1") == "2001:db8::/64"
    assert client_key("2001:db8:0:1::1") != client_key("2001:db8::1")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
        ("testclient", "testclient"),
    ],
)
def test_keys(address: str | None, key: str) -> None:
    """IPv4 counts by address, also when mapped into IPv6; what is no address as itself."""
    assert client_key(address) == key


@pytest.mark.parametrize("text", ["", "[", "[]", "[::1]x", "1.2.3.4:", ":80", "1.2.3", "²"])
def test_no_address(text: str) -> None:
    """What is no address gives none, and never an error."""
    assert parse_address(text) is None
