from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import StringConstraints

from bedplate.openapi import errors
from bedplate.schemas import MultiLineStr, QueryBool, QueryInt
from gameserver.mods.browsing import Order, Search, browse
from gameserver.mods.database import Answer
from gameserver.mods.exceptions import ModDatabaseUnavailable, ModNotFound
from gameserver.mods.resolution import best_release
from gameserver.mods.schemas import ModDetail, ModListing, Names
from gameserver.mods.wiring import CurrentMods
from gameserver.security import CurrentMonitor

router = APIRouter(prefix="/mod-database", tags=["mod database"])

_MAX_MODS = 200
_MAX_TAGS = 10
Text = Annotated[str, MultiLineStr(100)]
Side = Annotated[str, StringConstraints(pattern="^(client|server|both)$")]
GameVersion = Annotated[str, StringConstraints(pattern=r"^v?[0-9][0-9A-Za-z.-]{0,30}$")]
ModOrNumber = Annotated[
    str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="Id or number")
]


@router.get("/mods", responses=errors(ModDatabaseUnavailable), summary="Browse the mod database")
async def browse_mods(
    response: Response,
    mods: CurrentMods,
    _: CurrentMonitor,
    q: Annotated[Text, Query(description="Words in name, summary, author or id")] = "",
    tag: Annotated[list[Text] | None, Query(max_length=_MAX_TAGS, description="All of")] = None,
    author: Annotated[Text, Query()] = "",
    side: Annotated[Side | None, Query()] = None,
    game_version: Annotated[GameVersion | None, Query(description="Has a release for it")] = None,
    order: Annotated[Order, Query()] = Order.TRENDING,
    ascending: Annotated[QueryBool, Query()] = False,
    limit: Annotated[int, QueryInt(1, _MAX_MODS), Query()] = 50,
    offset: Annotated[int, QueryInt(0, 1_000_000), Query()] = 0,
) -> ModListing:
    """Return a page. `stale` and the `Age` header show that the database is away."""
    search = Search(q, tuple(tag or ()), author, side or "", game_version or "", order, ascending)
    answer = await browse(mods.database, search, limit=limit, offset=offset)
    _show_age(response, answer.age)
    return answer.content


@router.get(
    "/mods/{mod}",
    responses=errors(ModNotFound, ModDatabaseUnavailable),
    summary="Get a mod of the mod database",
)
async def get_listed_mod(
    mod: ModOrNumber, response: Response, mods: CurrentMods, _: CurrentMonitor
) -> ModDetail:
    """Return text, releases, and the versions that would be installed. Its HTML is sanitised."""
    answer = await mods.database.page(mod.lower())
    _show_age(response, answer.age)
    game = await mods.game_version()
    page, enabled = answer.content, (await mods.inventory.installed()).enabled()
    mod_ids = {release.mod_id for release in page.releases if release.mod_id}
    best = {mod_id: best_release(page.releases, mod_id, game=game) for mod_id in mod_ids}
    return ModDetail(
        mod=page,
        recommended={mod_id: item.version for mod_id, item in best.items() if item is not None},
        installed={mod_id: enabled[mod_id].version for mod_id in mod_ids & enabled.keys()},
        stale=answer.stale,
        fetched_at=answer.fetched_at,
    )


@router.get("/tags", responses=errors(ModDatabaseUnavailable), summary="List the tags of mods")
async def list_mod_tags(response: Response, mods: CurrentMods, _: CurrentMonitor) -> Names:
    """Return every tag that the mod database knows."""
    return _names(response, await mods.database.names("tags"))


@router.get(
    "/game-versions",
    responses=errors(ModDatabaseUnavailable),
    summary="List the game versions that mods are made for",
)
async def list_mod_game_versions(response: Response, mods: CurrentMods, _: CurrentMonitor) -> Names:
    """Return every version of the game that the mod database knows."""
    return _names(response, await mods.database.names("gameversions"))


def _names(response: Response, answer: Answer[list[str]]) -> Names:
    _show_age(response, answer.age)
    return Names(names=answer.content, stale=answer.stale, fetched_at=answer.fetched_at)


def _show_age(response: Response, age: int) -> None:
    """Set the answer's age in seconds (RFC 9111, section 5.1)."""
    response.headers["Age"] = str(age)
