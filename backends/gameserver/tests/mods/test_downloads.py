"""Fetching a mod's file: what prevents it is a problem of mods, in its own words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bedplate.problems import ProblemError
from bedplate.testing.processes import free_port
from gameserver.mods.exceptions import DownloadRefused, ModDatabaseUnavailable, ModTooLarge
from gameserver.mods.fetching import download_mod
from gameserver.outgoing.fetching import Bounds, Downloads
from gameserver.outgoing.sources import Sources
from gameserver_simulator.stand_ins.serving import serving


async def _answer(request: Any) -> Response:
    return Response(b"x" * 101, status_code=int(request.path_params["status"]))


async def _round(request: Any) -> Response:
    return RedirectResponse("/round")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve answers of every status, and what leads round in circles."""
    routes = [Route("/round", _round), Route("/{status}", _answer)]
    with serving(Starlette(routes=routes)) as found:
        yield found


@pytest.mark.parametrize(
    ("place", "problem", "text"),
    [
        ("https://elsewhere.example/a", DownloadRefused, "its host is not allowed"),
        ("https://localhost/a", DownloadRefused, "address within a private network"),
        ("http://localhost/a", DownloadRefused, "its host must be asked over HTTPS"),
        ("ftp://localhost/a", DownloadRefused, "its URL is not an HTTP or HTTPS URL"),
        ("/404", DownloadRefused, "isn't there any more"),
        ("/410", DownloadRefused, "isn't there any more"),
        ("/round", DownloadRefused, "too many redirects"),
        ("/200", ModTooLarge, "more than 100 bytes"),
        ("/500", ModDatabaseUnavailable, "doesn't answer"),
        ("http://127.0.0.1:1/a", DownloadRefused, "its host is not allowed"),
    ],
)
async def test_problems(
    place: str, problem: type[ProblemError], text: str, url: str, tmp_path: Path
) -> None:
    """What can be had nowhere else is refused; what may come back is unavailable."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        sources = Sources(url, frozenset({"localhost"}))
        downloads = Downloads(client, sources, Bounds(100, 60))
        with pytest.raises(problem, match=text):
            await download_mod(downloads, place if "://" in place else url + place, tmp_path / "a")


async def test_a_host_that_is_away(tmp_path: Path) -> None:
    """While nobody listens the file can't be had, and that may pass."""
    url = f"http://127.0.0.1:{free_port()}"
    async with httpx2.AsyncClient(trust_env=False) as client:
        downloads = Downloads(client, Sources(url, frozenset()), Bounds(100, 60))
        with pytest.raises(ModDatabaseUnavailable):
            await download_mod(downloads, f"{url}/a", tmp_path / "a")
