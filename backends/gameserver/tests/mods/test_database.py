"""The mod database: browsed in pages, cached on disk, borne when it misbehaves."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf
from gameserver_simulator.stand_ins.mod_database import ModDatabase

LIST = "/mod-database/mods"
MISBEHAVIOURS: list[dict[str, Any]] = [
    {"status": 500}, {"status": 404}, {"statuscode": "500"}, {"statuscode": "404"},
    {"nonsense": True}, {"cut_after": 50}, {"delay_seconds": 2.0},
]  # fmt: skip


@pytest.fixture
async def impatient_api(
    make_app: Callable[..., Any], database_url: str, admin: dict[str, str]
) -> AsyncIterator[Client]:
    """Give a client of an API that waits half a second for the database, and trusts no cache."""
    app = make_app(
        mod_database_url=database_url, mod_database_timeout_seconds=0.5, mod_cache_fresh_seconds=0.0
    )
    async with client(app, headers=admin) as opened:
        yield opened


def manners(database: ModDatabase, **changes: Any) -> None:
    """Make the stand-in behave so."""
    vars(database.fault_modes).update(changes)


async def test_the_list_comes_in_pages(mods_api: Client, mod_database: ModDatabase) -> None:
    """Pages are ours: together they are the whole list, each mod once, and it is fetched once."""
    whole = (await mods_api.get(LIST, params={"limit": 200})).json()
    assert whole["total"] == len(mod_database.mods)
    paged = []
    for offset in range(0, whole["total"], 25):
        page = (await mods_api.get(LIST, params={"limit": 25, "offset": offset})).json()
        paged += page["mods"]
    assert paged == whole["mods"]
    assert len([path for path in mod_database.fault_modes.requests if path == "/api/mods"]) == 1


async def test_the_list_is_filtered_and_sorted(mods_api: Client) -> None:
    """Text, tag, author, side and version of the game narrow the list; it can be sorted."""

    async def ids(**parameters: str | int) -> list[str]:
        listed = (await mods_api.get(LIST, params=parameters)).json()["mods"]
        return [mod["mod_ids"][0] for mod in listed if mod["mod_ids"]]

    assert await ids(q="LANTERN bright") == ["brightlanterns"]
    assert "lanternlib" in await ids(tag="library", limit=200)
    assert await ids(side="client") == ["softskies"]
    assert "deeplanterns" not in await ids(game_version="1.20.11", limit=200)
    assert "brightlanterns" in await ids(game_version="1.20.11", limit=200)
    names = await ids(order="name", ascending="true", limit=200)
    by_downloads = (await mods_api.get(LIST, params={"order": "downloads"})).json()["mods"]
    downloads = [mod["downloads"] for mod in by_downloads]
    assert downloads == sorted(downloads, reverse=True)
    assert len(names) == len(set(names))


async def test_a_page_shows_no_script(mods_api: Client, problem_of: ProblemOf) -> None:
    """HTML of strangers is sanitised; unknown mods are a 404, odd ids a 422."""
    detail = (await mods_api.get(f"{LIST}/scripted")).json()
    assert "<script" not in str(detail["mod"]["text"])
    assert "<script" not in str([release["changelog"] for release in detail["mod"]["releases"]])
    bright = (await mods_api.get(f"{LIST}/brightlanterns")).json()
    assert "<b>lanterns</b>" in bright["mod"]["text"]
    assert bright["recommended"] == {"brightlanterns": "1.2.0"}
    assert problem_of(await mods_api.get(f"{LIST}/nosuchmod"), 404)["code"] == "mod_not_found"
    problem_of(await mods_api.get(f"{LIST}/a%00b"), 422)
    problem_of(await mods_api.get(LIST, params={"limit": 201}), 422)


@pytest.mark.parametrize("misbehaviour", MISBEHAVIOURS, ids=str)
async def test_without_a_cache_a_database_that_is_away_is_a_503(
    impatient_api: Client, mod_database: ModDatabase, problem_of: ProblemOf,
    misbehaviour: dict[str, Any],
) -> None:  # fmt: skip
    """However it misbehaves, the answer is a 503 with Retry-After, soon, and then at once."""
    manners(mod_database, **misbehaviour)
    with impatient_api.expecting(503):
        first = await impatient_api.get(LIST)
        assert problem_of(first, 503)["code"] == "mod_database_unavailable"
        assert int(first.headers["retry-after"]) > 0
        asked = len(mod_database.fault_modes.requests)
        problem_of(await impatient_api.get(f"{LIST}/lanternlib"), 503)
    assert len(mod_database.fault_modes.requests) == asked


async def test_from_the_cache_it_works_off_line(
    impatient_api: Client, mod_database: ModDatabase
) -> None:
    """What was fetched before is shown while the database is away, and says that it is stale."""
    fresh = (await impatient_api.get(LIST)).json()
    await impatient_api.get(f"{LIST}/lanternlib")
    assert fresh["stale"] is False
    manners(mod_database, status=503)
    stale = await impatient_api.get(LIST)
    assert stale.json()["stale"] is True
    assert stale.json()["mods"] == fresh["mods"]
    assert int(stale.headers["age"]) >= 0
    assert (await impatient_api.get(f"{LIST}/lanternlib")).json()["stale"] is True


async def test_the_names_it_uses_are_listed(mods_api: Client) -> None:
    """Tags and versions of the game are there for filters."""
    assert "Library" in (await mods_api.get("/mod-database/tags")).json()["names"]
    assert "1.21.6" in (await mods_api.get("/mod-database/game-versions")).json()["names"]
