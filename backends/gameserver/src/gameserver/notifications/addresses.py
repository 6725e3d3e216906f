"""Which addresses a webhook may have: https and public ones, unless a setting allows more."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import httpx2

from bedplate.tls import trusted
from gameserver.notifications.exceptions import HookRefused
from gameserver.outgoing.addresses import Address, UnknownHost, is_public, look_up

_LAST_PORT: Final = 65_535


class AddressRefused(Exception):
    """A host name can't be looked up, or has a forbidden address; the message is a sentence."""


@dataclass(frozen=True)
class AddressRules:
    """What is allowed: plain `http`, and addresses of private networks."""

    http: bool = False
    private: bool = False

    def check_url(self, text: str) -> httpx2.URL:
        """Return a webhook's URL. Raises `HookRefused`. Its host is looked up at each call."""
        if not text.isascii() or not text.isprintable() or " " in text:
            raise HookRefused("The URL may have visible ASCII characters only.")
        try:
            url = httpx2.URL(text)
            address = _literal(url.host)
        except (httpx2.InvalidURL, ValueError):
            raise HookRefused("The URL can't be read.") from None
        if url.scheme != "https" and not (self.http and url.scheme == "http"):
            raise HookRefused("The URL must begin with https://.")
        if not url.host or url.userinfo or url.fragment:
            raise HookRefused("The URL must name a host, and neither a user nor a fragment.")
        if url.port is not None and not 0 < url.port <= _LAST_PORT:
            raise HookRefused("The URL's port must be 1 to 65535.")
        if address is not None and not self.allows(address):
            raise HookRefused("The URL leads into a private network, which is not allowed.")
        return url

    def allows(self, address: Address) -> bool:
        """Return whether this address may be called."""
        return self.private or is_public(address)


class CheckedTransport(httpx2.AsyncHTTPTransport):
    """Connects to the address that was checked, so a name can't switch addresses after the check.

    No connection is reused: the name may have another address at the next call.
    """

    def __init__(self, rules: AddressRules) -> None:
        limits = httpx2.Limits(max_keepalive_connections=0)
        super().__init__(trust_env=False, verify=trusted(), limits=limits)
        self._rules = rules

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an address of its host, if all are allowed. Raises `AddressRefused`."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await look_up(host, port)
        except UnknownHost:
            raise AddressRefused("The receiver's name can't be looked up.") from None
        if not addresses or not all(self._rules.allows(address) for address in addresses):
            raise AddressRefused("The receiver's name leads into a private network.")
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=str(addresses[0]))
        return await super().handle_async_request(request)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
