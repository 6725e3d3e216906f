"""Which addresses are public, and what is behind a name."""

from ipaddress import ip_address

import pytest

from gameserver.outgoing.addresses import UnknownHost, is_public, look_up


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "::",
        "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)  # fmt: skip
def test_private(address: str) -> None:
    """Addresses of this machine and of private networks, also those that stand for one."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public(address: str) -> None:
    """Addresses of the public internet, also through NAT64."""
    assert is_public(ip_address(address))


async def test_a_name_is_looked_up() -> None:
    """This machine's name leads to this machine, and an address to itself."""
    assert all(address.is_loopback for address in await look_up("localhost", 80))
    assert await look_up("::1", 80) == [ip_address("::1")]


@pytest.mark.parametrize("host", ["nothing.invalid", "a" * 64, ""])
async def test_an_unknown_name(host: str) -> None:
    """A name that leads nowhere, and one that is none, are unknown."""
    with pytest.raises(UnknownHost):
        await look_up(host, 80)
