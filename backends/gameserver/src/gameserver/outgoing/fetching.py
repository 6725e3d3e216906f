"""Downloads: from sources that are allowed, at addresses that are public, within bounds.

Every redirect is checked like the first URL. The checked address is the one that is connected to,
so a name that resolves to another one in between (DNS rebinding) leads nowhere.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from gameserver.outgoing.addresses import Address, UnknownHost, is_public, look_up
from gameserver.outgoing.exceptions import (
    NotDelivered,
    PrivateAddress,
    StatusRefused,
    TooLarge,
    TooManyRedirects,
    TooSlow,
)
from gameserver.outgoing.sources import Sources

_CHUNK_BYTES: Final = 1 << 20
_SILENCE_SECONDS: Final = 30.0
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200

LookUp = Callable[[str, int], Awaitable[list[Address]]]
ProgressCallback = Callable[[float], None]


@dataclass(frozen=True)
class Bounds:
    """Limits of a download: bytes, seconds for all of it, and redirects."""

    max_bytes: int
    seconds: float
    redirects: int = 3

    def check_size(self, size: int) -> None:
        """Raise `TooLarge` when `size` is more than `max_bytes`."""
        if size > self.max_bytes:
            raise TooLarge


@dataclass(frozen=True)
class Downloads:
    """Fetches documents and files from allowed sources, each within bounds."""

    client: httpx2.AsyncClient
    sources: Sources
    bounds: Bounds
    look_up: LookUp = look_up

    async def read(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> tuple[httpx2.Response, bytes]:
        """Return the response of a URL, whatever its status, and its body. Raises `FetchError`."""
        content = bytearray()
        async with self._opened(url, headers or {}) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                self.bounds.check_size(len(content))
        return response, bytes(content)

    async def save(
        self, url: str, target: Path, on_progress: ProgressCallback = lambda _: None
    ) -> None:
        """Write the file behind a URL to `target`, which must not exist yet.

        `on_progress` receives the fraction that has arrived. Raises `FetchError`, and leaves
        the part that was written.
        """
        async with self._opened(url, {"Accept-Encoding": "identity"}) as response:
            require_ok(response)
            expected = _length(response)
            self.bounds.check_size(expected)
            size = 0
            with await asyncio.to_thread(target.open, "xb") as file:
                async for chunk in response.aiter_raw(_CHUNK_BYTES):
                    size += len(chunk)
                    self.bounds.check_size(size)
                    await asyncio.to_thread(file.write, chunk)
                    on_progress(size / max(expected, size))

    @asynccontextmanager
    async def _opened(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx2.Response]:
        """Yield the response behind the redirects, whose body is still to be read.

        The time runs until the end of the context. Raises `FetchError`, also for what fails within.
        """
        try:
            async with asyncio.timeout(self.bounds.seconds):
                response = await self._follow(url, headers)
                async with aclosing(response):
                    yield response
        except TimeoutError:
            raise TooSlow from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise NotDelivered(error) from None

    async def _follow(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        for _ in range(self.bounds.redirects + 1):
            checked = self.sources.check(url)
            response = await self._request(checked, headers)
            if response.status_code not in _REDIRECTS:
                return response
            await response.aclose()
            url = str(checked.join(response.headers.get("location", "")))
        raise TooManyRedirects

    async def _request(self, url: httpx2.URL, headers: Mapping[str, str]) -> httpx2.Response:
        if self.sources.may_be_private(url):
            return await self._send(url, headers)
        failure: httpx2.TransportError = httpx2.ConnectError("The host has no address.")
        for address in await self._public_addresses(url):
            try:
                return await self._send(url, headers, address)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _public_addresses(self, url: httpx2.URL) -> list[Address]:
        try:
            addresses = await self.look_up(url.raw_host.decode(), url.port or 443)
        except UnknownHost:
            raise httpx2.ConnectError("The host is unknown.") from None
        if not all(is_public(address) for address in addresses):
            raise PrivateAddress
        return addresses

    async def _send(
        self, url: httpx2.URL, headers: Mapping[str, str], address: Address | None = None
    ) -> httpx2.Response:
        """Send a request; with `address` to that one, whatever the name resolves to by then.

        Such a connection isn't kept: another name at this address needs a TLS handshake of its own.
        """
        extensions = {}
        if address is not None:
            headers = {**headers, "Host": url.netloc.decode(), "Connection": "close"}
            extensions["sni_hostname"] = url.raw_host.decode()
            url = url.copy_with(host=str(address))
        request = self.client.build_request(
            "GET", url, headers=headers, timeout=_SILENCE_SECONDS, extensions=extensions
        )
        return await self.client.send(request, stream=True, follow_redirects=False)


def require_ok(response: httpx2.Response) -> None:
    """Raise `StatusRefused` unless the status is 200."""
    if response.status_code != _OK:
        raise StatusRefused(response.status_code)


def _length(response: httpx2.Response) -> int:
    declared = response.headers.get("content-length", "")
    return int(declared[:18]) if declared.isascii() and declared.isdigit() else 0
