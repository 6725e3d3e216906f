"""Where a webhook may lead."""

from ipaddress import ip_address

import pytest

from gameserver.notifications.addresses import AddressRules
from gameserver.notifications.exceptions import HookRefused

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    """Addresses of this machine and of private networks are refused, however they are written."""
    assert not AddressRules().allows(ip_address(address))
    assert AddressRules(private=True).allows(ip_address(address))
    shown = f"[{address}]" if ":" in address else address
    with pytest.raises(HookRefused):
        AddressRules().check_url(f"https://{shown}/x")


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public(address: str) -> None:
    """Public addresses are allowed."""
    assert AddressRules().allows(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https://", "https:///x", "example.org",
        "https://user:pass@example.org/", "https://example.org/#x", "https://exa mple.org/",
        "https://example.org/\n", "https://exämple.org/", "file:///etc/passwd", "https://[::1",
        "https://example.org:99999/", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_refused(url: str) -> None:
    """What is no plain https URL is refused, in a sentence that doesn't repeat it."""
    with pytest.raises(HookRefused) as refused:
        AddressRules().check_url(url)
    assert not url or url not in str(refused.value.detail)


def test_plain_http_where_it_is_allowed() -> None:
    """Outside of production plain http will do."""
    assert AddressRules(http=True).check_url("http://example.org/x").host == "example.org"
