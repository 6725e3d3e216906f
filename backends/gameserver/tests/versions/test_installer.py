"""Archives of the game: bounded, whole, from the first place that has them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver.versions.exceptions import DigestMismatch, DownloadFailed
from gameserver.versions.installer import download_game
from gameserver.versions.schemas import Channel, OfferedVersion
from gameserver_simulator.stand_ins.serving import serving
from gameserver_simulator.stand_ins.version_feed import VersionFeed as Served

BOUNDS = Bounds(1 << 30, 60)


@pytest.fixture(scope="module")
def hostile_url(unending_routes: list[Route]) -> Iterator[str]:
    """Serve archives that mean harm."""
    with serving(Starlette(routes=unending_routes)) as url:
        yield url


def _offered(*urls: str, md5: str = "0" * 32) -> OfferedVersion:
    return OfferedVersion(
        version="1.21.6", channel=Channel.STABLE, filename="a", md5=md5, urls=list(urls)
    )


async def test_a_download_is_bounded_in_size_and_time(hostile_url: str, tmp_path: Path) -> None:
    """A file ends at the limit of bytes, or of time; nothing of it stays."""
    sources = Sources(hostile_url, frozenset())
    async with httpx2.AsyncClient() as client:
        for kind, max_bytes, seconds in (("endless", 1 << 20, 60.0), ("slow", 1 << 50, 0.2)):
            bounds = Bounds(max_bytes, seconds)
            downloads = Downloads(client, sources, bounds)
            offered = _offered(f"{hostile_url}/{kind}")
            with pytest.raises(DownloadFailed):
                await download_game(downloads, offered, tmp_path / "a", lambda _: None)
    assert not (tmp_path / "a").exists()


async def test_the_second_place_is_tried_when_the_first_fails(
    feed: Served, served_feed: tuple[Served, str], tmp_path: Path
) -> None:
    """A place that is away doesn't matter while another delivers the right file."""
    url = served_feed[1]
    name = "vs_server_linux-x64_1.21.6.tar.gz"
    good = f"{url}/gamefiles/stable/{name}"
    md5 = (await asyncio.to_thread(feed.file, "1.21.6")).md5
    async with httpx2.AsyncClient() as client:
        downloads = Downloads(client, Sources(url, frozenset()), BOUNDS)
        offered = _offered("https://elsewhere.example/a", f"{url}/missing", good, md5=md5)
        await download_game(downloads, offered, tmp_path / "a", lambda _: None)
        assert (tmp_path / "a").stat().st_size > 100
        with pytest.raises(DigestMismatch):
            await download_game(downloads, _offered(good), tmp_path / "b", lambda _: None)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://elsewhere.example/a", "its host is not allowed"),
        ("https://localhost:1/a", "its host has an address within a private network"),
    ],
)
async def test_why_an_archive_cannot_be_had(url: str, why: str, tmp_path: Path) -> None:
    """A named host has to be public, as every host has to be named; the error says which it is."""
    sources = Sources("http://127.0.0.1:1", frozenset({"localhost"}), any_port=True)
    async with httpx2.AsyncClient() as client:
        downloads = Downloads(client, sources, BOUNDS)
        with pytest.raises(DownloadFailed, match=f"The archive can't be downloaded: {why}."):
            await download_game(downloads, _offered(url), tmp_path / "a", lambda _: None)
