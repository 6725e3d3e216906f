"""The feed: read leniently, asked sparingly, known off-line, and never led elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bedplate.documents import Document
from bedplate.testing.clock import SettableClock
from bedplate.testing.processes import free_port
from gameserver.outgoing.fetching import Downloads
from gameserver.outgoing.sources import Sources
from gameserver.versions.exceptions import FeedUnavailable
from gameserver.versions.feed import DOCUMENT_BOUNDS, VersionFeed, offered_in
from gameserver.versions.schemas import FeedCache
from gameserver_simulator.stand_ins.serving import serving
from gameserver_simulator.stand_ins.version_feed import VersionFeed as Served


@asynccontextmanager
async def _opened(url: str, cache: Path, fresh_seconds: float = 900) -> AsyncIterator[VersionFeed]:
    async with httpx2.AsyncClient(timeout=60) as client:
        document = Document(cache, FeedCache, default=FeedCache)
        downloads = Downloads(client, Sources(url, frozenset()), DOCUMENT_BOUNDS)
        yield VersionFeed(downloads, url, document, fresh_seconds=fresh_seconds)


async def test_the_feed_is_asked_again_only_after_a_while(
    feed: Served, served_feed: tuple[Served, str], tmp_path: Path, clock: SettableClock
) -> None:
    """Within the time it is answered from the file; after it with the ETag; on demand at once."""
    async with _opened(served_feed[1], tmp_path / "cache.json") as opened:
        await opened.read()
        asked = len(feed.fault_modes.requests)
        assert "1.21.6" in {item.version for item in offered_in(await opened.read())}
        assert len(feed.fault_modes.requests) == asked
        clock.advance(minutes=16)
        assert len(offered_in(await opened.read())) == len(offered_in(await opened.read()))
        assert len(feed.fault_modes.requests) == asked + 2
        await opened.read(refresh=True)
        assert len(feed.fault_modes.requests) == asked + 4
        assert not opened.stale


async def test_what_the_feed_said_last_counts_while_it_is_away(
    feed: Served, served_feed: tuple[Served, str], tmp_path: Path
) -> None:
    """Errors, nonsense and silence leave what is known, also to the next manager."""
    cache = tmp_path / "cache.json"
    async with _opened(served_feed[1], cache) as opened:
        before = offered_in(await opened.read())
    nobody = f"http://127.0.0.1:{free_port()}"
    for url, status in ((served_feed[1], 500), (served_feed[1], None), (nobody, None)):
        feed.fault_modes.status, feed.fault_modes.nonsense = status, status is None
        async with _opened(url, cache, fresh_seconds=0) as opened:
            assert offered_in(await opened.read()) == before
            assert opened.stale


async def test_a_feed_that_never_answered_is_unavailable(
    feed: Served, served_feed: tuple[Served, str], tmp_path: Path
) -> None:
    """Without anything known there is an error, and a broken cache is no crash."""
    feed.fault_modes.status = 503
    (tmp_path / "cache.json").write_text("{")
    async with _opened(served_feed[1], tmp_path / "cache.json") as opened:
        with pytest.raises(FeedUnavailable):
            await opened.read()


async def test_a_cache_that_cannot_be_written_is_no_obstacle(
    served_feed: tuple[Served, str], tmp_path: Path
) -> None:
    """While the disk refuses the cache, as when it is full, the feed itself still answers."""
    (tmp_path / "cache.json").mkdir()
    async with _opened(served_feed[1], tmp_path / "cache.json") as opened:
        assert offered_in(await opened.read())


async def test_a_feed_that_is_away_is_left_alone(
    feed: Served, served_feed: tuple[Served, str], tmp_path: Path, clock: SettableClock
) -> None:
    """Who asks while it is away has an answer at once; half a minute later it is asked again."""
    feed.fault_modes.status = 503
    async with _opened(served_feed[1], tmp_path / "cache.json") as opened:
        asked = [opened.read(refresh=True) for _ in range(5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(answer) for answer in answers} == {FeedUnavailable}
        assert len(feed.fault_modes.requests) == 1
        feed.fault_modes.status = None
        clock.advance(seconds=31)
        assert offered_in(await opened.read())


HOSTILE: dict[str, Any] = {
    "1.21.6": {"linuxserver": {"filename": "a", "md5": "0" * 32, "urls": {"cdn": "https://x/a"}}},
    "../../etc": {"linuxserver": {"md5": "0" * 32, "urls": {"cdn": "https://x/a"}}},
    "1.0.0": None,
    "1.0.1": {"linuxserver": []},
    "1.0.2": {"linuxserver": {"md5": "nonsense", "urls": {"cdn": "https://x/a"}}},
    "1.0.3": {"linuxserver": {"md5": "0" * 32, "urls": ["https://x/a"]}},
    "1.0.4": {"linuxserver": {"md5": "0" * 32, "urls": {"cdn": 7, "local": "x" * 2000}}},
    "1.0.5": {"linuxserver": {"md5": None, "urls": None, "latest": {}}},
    "1.21.7": {
        "linuxserver": {
            "filename": ["list"], "filesize": "1\x1b[2J MB", "md5": "A" * 32,
            "latest": [], "urls": {"cdn": "https://x/b"},
        }
    },
}  # fmt: skip


async def _misled(request: Any) -> Response:
    return RedirectResponse("https://elsewhere.example/stable.json")


async def _hostile(request: Any) -> Response:
    return JSONResponse(HOSTILE)


async def _deep(request: Any) -> Response:
    return Response(b"[" * 100_000)


@pytest.fixture(scope="module")
def hostile_url(unending_routes: list[Route]) -> Iterator[str]:
    """Serve feeds that mean harm."""
    routes = [
        Route("/misled/{name}", _misled),
        Route("/hostile/{name}", _hostile),
        Route("/deep/{name}", _deep),
        *unending_routes,
    ]
    with serving(Starlette(routes=routes)) as url:
        yield url


async def test_only_what_is_understood_is_offered(hostile_url: str, tmp_path: Path) -> None:
    """Entries of any other shape are left out; texts are made harmless."""
    async with _opened(f"{hostile_url}/hostile", tmp_path / "cache.json") as opened:
        offered = offered_in(await opened.read())
    assert [item.version for item in offered] == ["1.21.7", "1.21.6"]
    assert offered[0].size == "1[2J MB"
    assert offered[0].md5 == "a" * 32


@pytest.mark.parametrize("kind", ["misled", "endless", "deep"])
async def test_a_hostile_feed_is_unavailable(kind: str, hostile_url: str, tmp_path: Path) -> None:
    """A redirect to another host, a document too large and one too deep are refused."""
    async with _opened(f"{hostile_url}/{kind}", tmp_path / "cache.json") as opened:
        with pytest.raises(FeedUnavailable):
            await opened.read()
