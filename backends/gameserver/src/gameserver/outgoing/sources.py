"""The URLs that the manager may fetch from."""

from dataclasses import dataclass

import httpx2

from gameserver.outgoing.exceptions import HostRefused, NoWebURL, PlainHTTPRefused


@dataclass(frozen=True)
class Sources:
    """Where files may come from.

    trusted    a URL that the operator set; its origin may be plain HTTP, and in a private network
    hosts      others by name in lower case, over HTTPS, at public addresses
    private    the hosts may be plain HTTP and in a private network, too
    any_port   the hosts may use another port than 443
    """

    trusted: str
    hosts: frozenset[str]
    private: bool = False
    any_port: bool = False

    def check(self, text: str) -> httpx2.URL:
        """Return a URL that may be fetched, also by a redirect. Raises `SourceRefused`."""
        url = _read(text)
        if self._is_trusted(url):
            return url
        if url.host not in self.hosts:
            raise HostRefused
        usual = url.scheme == "https" and (url.port is None or self.any_port)
        if not usual and not self.private:
            raise PlainHTTPRefused
        return url

    def may_be_private(self, url: httpx2.URL) -> bool:
        """Return whether the host of an allowed URL may have an address that is not public."""
        return self.private or self._is_trusted(url)

    def _is_trusted(self, url: httpx2.URL) -> bool:
        try:
            trusted = _read(self.trusted)
        except NoWebURL:
            return False
        return (url.scheme, url.host, url.port) == (trusted.scheme, trusted.host, trusted.port)


def _read(text: str) -> httpx2.URL:
    """Parse a URL as the client does, so that the URL checked is the one requested."""
    try:
        url = httpx2.URL(text)
        usable = url.scheme in {"http", "https"} and bool(url.host) and url.port != 0
    except (httpx2.InvalidURL, ValueError):
        raise NoWebURL from None
    if not usable or url.userinfo:
        raise NoWebURL
    return url
