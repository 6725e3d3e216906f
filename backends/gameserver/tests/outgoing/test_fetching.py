"""Fetching: bounded, and never led to another address than the one that was judged."""

from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bedplate.testing.processes import free_port
from gameserver.outgoing.addresses import Address
from gameserver.outgoing.exceptions import (
    FetchError,
    HostRefused,
    NotDelivered,
    PrivateAddress,
    StatusRefused,
    TooLarge,
    TooManyRedirects,
    TooSlow,
)
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver_simulator.stand_ins.serving import serving

BOUNDS = Bounds(max_bytes=1 << 20, seconds=60.0)
NAMED = Sources("http://127.0.0.1:1", frozenset({"cdn.example", "localhost"}), any_port=True)
LEADS = {
    "once": "/file",
    "elsewhere": "https://elsewhere.example/a",
    "round": "/round",
    "nowhere": "http://[::1",
    "empty": "",
}


async def _file(request: Any) -> Response:
    return Response(b"x" * 100_000)


async def _led(request: Any) -> Response:
    name = request.url.path.removeprefix("/")
    answer = RedirectResponse("/")
    answer.headers["location"] = LEADS[name]
    return answer


@pytest.fixture(scope="module")
def url(unending_routes: list[Route]) -> Iterator[str]:
    """Serve a file, what leads to it, and what has no end."""
    led = [Route(f"/{name}", _led) for name in LEADS]
    with serving(Starlette(routes=[*led, Route("/file", _file), *unending_routes])) as found:
        yield found


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client."""
    async with httpx2.AsyncClient(trust_env=False) as opened:
        yield opened


@pytest.mark.parametrize("path", ["file", "once"])
async def test_a_file_is_saved(
    path: str, url: str, client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    """Also from behind a redirect; how much is there is reported on the way."""
    progress: list[float] = []
    downloads = Downloads(client, Sources(url, frozenset()), BOUNDS)
    await downloads.save(f"{url}/{path}", tmp_path / "a", progress.append)
    assert (tmp_path / "a").read_bytes() == b"x" * 100_000
    assert progress == sorted(progress)
    assert progress[-1] == 1


@pytest.mark.parametrize(
    ("path", "bounds", "error"),
    [
        ("endless", BOUNDS, TooLarge),
        ("file", Bounds(max_bytes=99_999, seconds=60.0), TooLarge),
        ("slow", Bounds(max_bytes=1 << 50, seconds=0.2), TooSlow),
        ("round", BOUNDS, TooManyRedirects),
        ("empty", BOUNDS, TooManyRedirects),
        ("once", Bounds(max_bytes=1 << 20, seconds=60.0, redirects=0), TooManyRedirects),
        ("nowhere", BOUNDS, NotDelivered),
        ("elsewhere", BOUNDS, HostRefused),
        ("missing", BOUNDS, StatusRefused),
    ],
)
async def test_what_is_refused(
    path: str,
    bounds: Bounds,
    error: type[FetchError],
    url: str,
    client: httpx2.AsyncClient,
    tmp_path: Path,
) -> None:
    """Too much, too slow, too far round, elsewhere, and what isn't there; each by its kind."""
    downloads = Downloads(client, Sources(url, frozenset()), bounds)
    with pytest.raises(error):
        await downloads.save(f"{url}/{path}", tmp_path / "a")


async def test_a_host_that_is_away(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """Nobody listens, or the name is unknown: the error says so in few words."""
    url = f"http://127.0.0.1:{free_port()}/a"
    sources = Sources(url, frozenset({"nothing.invalid"}))
    for away in (url, "https://nothing.invalid/a"):
        with pytest.raises(NotDelivered, match=r"its host does not deliver \(ConnectError\)"):
            await Downloads(client, sources, BOUNDS).save(away, tmp_path / "a")


async def test_a_named_host_has_to_be_public(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """A name that leads to this machine is refused before anything is sent."""
    with pytest.raises(PrivateAddress):
        await Downloads(client, NAMED, BOUNDS).save("https://localhost:1/a", tmp_path / "a")


class Network:
    """A network of public addresses; nobody listens at the first."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = [ip_address(address) for address in addresses]
        self.requests: list[httpx2.Request] = []

    async def look_up(self, host: str, port: int) -> list[Address]:
        """Return the addresses once; asked again, the name leads to this machine."""
        assert (host, port) == ("cdn.example", 443)
        found, self.addresses = self.addresses, [ip_address("127.0.0.1")]
        return found

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Take a request, as the network would."""
        self.requests.append(request)
        if len(self.requests) == 1:
            raise httpx2.ConnectError("Nobody listens.")
        return httpx2.Response(200, stream=httpx2.ByteStream(b"x"))


async def test_the_address_that_was_judged_is_asked(tmp_path: Path) -> None:
    """The name is looked up once; each of its addresses is tried, and has to prove the name."""
    network = Network("1.1.1.1", "2606:4700::1111")
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(network)) as client:
        downloads = Downloads(client, NAMED, BOUNDS, look_up=network.look_up)
        await downloads.save("https://cdn.example/a?b", tmp_path / "a")
    asked = [str(request.url) for request in network.requests]
    assert asked == ["https://1.1.1.1/a?b", "https://[2606:4700::1111]/a?b"]
    for request in network.requests:
        assert request.headers["host"] == "cdn.example"
        assert request.headers["connection"] == "close"
        assert request.extensions["sni_hostname"] == "cdn.example"


async def test_a_name_that_is_partly_private(tmp_path: Path) -> None:
    """One private address among public ones is enough for a refusal."""
    network = Network("1.1.1.1", "10.0.0.1")
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(network)) as client:
        downloads = Downloads(client, NAMED, BOUNDS, look_up=network.look_up)
        with pytest.raises(PrivateAddress):
            await downloads.save("https://cdn.example/a", tmp_path / "a")
    assert network.requests == []
