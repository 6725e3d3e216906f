"""Fetching a mod's file: from hosts that are allowed, at addresses that are public, within bounds.

Every redirect is judged like the first URL. The address that was judged is the one connected to,
so a name can't change its mind in between (DNS rebinding).
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import IO, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx2

from gameserver.mods.archives import LARGEST_MOD
from gameserver.mods.exceptions import DownloadRefused, ModDatabaseUnavailable, ModTooLarge

_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_GONE: Final = frozenset({404, 410})
_OK: Final = 200
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class AllowedSources:
    """Where files may come from.

    `hosts` by name, over HTTPS, at public addresses. `trusted` is the origin of the mod database
    that the operator named: it may be plain HTTP, and anywhere. `private` lets hosts be so too.
    """

    hosts: frozenset[str]
    trusted: str
    private: bool = False

    def check(self, url: str) -> tuple[SplitResult, bool]:
        """Return the parts of a URL and whether it may be private. Raises `DownloadRefused`."""
        parts = _split(url)
        if origin_of(url) == self.trusted:
            return parts, True
        if parts.hostname not in self.hosts:
            raise DownloadRefused("Files of mods may not come from this host.")
        usual = parts.scheme == "https" and (parts.port or 443) == _PORTS["https"]
        if not usual and not self.private:
            raise DownloadRefused("Files of mods come over HTTPS only.")
        return parts, self.private


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL. Raises `DownloadRefused`."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.password is not None:
        raise DownloadRefused("That is no URL of a file on the web.")
    return parts


class Downloads:
    """Fetches files of mods, each of at most `most_bytes` within `seconds`."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        allowed: AllowedSources,
        *,
        seconds: float = 300.0,
        most_bytes: int = LARGEST_MOD,
    ) -> None:
        self._client = client
        self._allowed = allowed
        self._seconds = seconds
        self._most_bytes = most_bytes

    async def fetch(self, url: str, target: Path) -> None:
        """Write the file behind a URL to `target`, which must not exist yet.

        Raises `DownloadRefused`, `ModTooLarge`, or `ModDatabaseUnavailable` when the host doesn't
        deliver. What was written by then stays: the caller's staging folder goes as a whole.
        """
        try:
            async with asyncio.timeout(self._seconds):
                await self._follow(url, target)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
            raise ModDatabaseUnavailable from None

    async def _follow(self, url: str, target: Path) -> None:
        for _ in range(_MOST_REDIRECTS + 1):
            location = await self._take(url, target)
            if location is None:
                return
            url = urljoin(url, location)
        raise DownloadRefused("The file is behind too many redirects.")

    async def _take(self, url: str, target: Path) -> str | None:
        """Write the file, or return where it is instead."""
        request = await self._request(url)
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code in _REDIRECTS:
                return response.headers.get("location", "")
            if response.status_code in _GONE:
                raise DownloadRefused("The file isn't there any more; it may be retracted.")
            if response.status_code != _OK:
                raise ModDatabaseUnavailable
            await self._write(response, target)
        finally:
            await response.aclose()
        return None

    async def _request(self, url: str) -> httpx2.Request:
        """Return the request, bound to an address that was judged."""
        parts, private = self._allowed.check(url)
        host = str(parts.hostname)
        address = await _address(host, parts.port or _PORTS[parts.scheme], private=private)
        return self._client.build_request(
            "GET",
            httpx2.URL(url).copy_with(host=address),
            headers={
                "Host": parts.netloc.rpartition("@")[2],
                "Accept-Encoding": "identity",
            },
            extensions={
                "sni_hostname": host,
                "timeout": httpx2.Timeout(self._seconds).as_dict(),
            },
        )

    async def _write(self, response: httpx2.Response, target: Path) -> None:
        declared = response.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared[:18]) > self._most_bytes:
            raise self._too_large()
        size = 0
        with await asyncio.to_thread(target.open, "xb") as file:
            async for chunk in response.aiter_raw(65_536):
                size += len(chunk)
                if size > self._most_bytes:
                    raise self._too_large()
                await asyncio.to_thread(_write_all, file, chunk)

    def _too_large(self) -> ModTooLarge:
        return ModTooLarge(f"The file has more than {self._most_bytes} bytes.")


def _write_all(file: IO[bytes], chunk: bytes) -> None:
    file.write(chunk)


async def _address(host: str, port: int, *, private: bool) -> str:
    """Return an address of a host; none of them may be private, unless that is allowed."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ModDatabaseUnavailable from None
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(is_public(address) for address in addresses):
        raise DownloadRefused("The host has an address within a private network.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
