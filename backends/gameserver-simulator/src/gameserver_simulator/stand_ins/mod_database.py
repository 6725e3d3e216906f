"""A stand-in for the mod database: its API, with real files."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gameserver_simulator.game.mods import order
from gameserver_simulator.stand_ins import game_versions
from gameserver_simulator.stand_ins.catalogue import TAGS, Kind, Mod, Release, invent
from gameserver_simulator.stand_ins.fault_modes import FaultModes, Faulty
from gameserver_simulator.stand_ins.mod_documents import (
    cdn_url,
    detail,
    last_released,
    list_item,
    release_document,
)
from gameserver_simulator.stand_ins.mod_files import content_of
from gameserver_simulator.stand_ins.serving import serving

AWAY = "http://169.254.169.254/latest/meta-data/"
"""Target of a hostile redirect: the metadata service of a cloud's machines."""

ORDERS: Mapping[str, Callable[[Mod], Any]] = {
    "asset.created": lambda mod: mod.releases[-1].created,
    "lastreleased": lambda mod: last_released(mod) or "",
    "downloads": lambda mod: mod.downloads,
    "follows": lambda mod: list_item(mod)["follows"],
    "comments": lambda mod: list_item(mod)["comments"],
    "trendingpoints": lambda mod: list_item(mod)["trendingpoints"],
}


class ModDatabase:
    """The stand-in. `fault_modes` make it fail while it serves.

    count    invented mods besides the story's; the real database lists about 5,000
    hostile  add mods that attack, see `catalogue.HOSTILE`
    """

    def __init__(self, count: int = 300, *, hostile: bool = False) -> None:
        self.mods = invent(count, hostile=hostile)
        self.fault_modes = FaultModes()
        self.app: ASGIApp = Faulty(Starlette(routes=self._routes()), self.fault_modes)

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Serve on a port of this machine; and yield the URL that replaces the official one."""
        with serving(self.app, port) as url:
            yield url

    def find(self, name: str) -> Mod | None:
        """Return a mod by its number or one of its ids."""
        for mod in self.mods:
            # As its MySQL compares them, in any case.
            if name.lower() in {str(mod.number), *(each.lower() for each in mod.identifiers)}:
                return mod
        return None

    def _routes(self) -> list[Route]:
        return [
            Route("/api/mods", self._list),
            Route("/api/mod/{mod}", self._detail),
            Route("/api/gameversions", self._game_versions),
            Route("/api/tags", self._tags),
            Route("/api/authors", self._authors),
            Route("/api/comments", self._comments),
            Route("/api/comments/{asset}", self._comments),
            Route("/api/changelogs", self._changelogs),
            Route("/api/updates", self._updates),
            Route("/api/v2/mods/install-information", self._install_information),
            Route("/download", self._download),
            Route("/download/{number}/{name:path}", self._download),
            Route("/cdn/{file}", self._file),
        ]

    async def _list(self, request: Request) -> Response:
        mods = await asyncio.to_thread(_select, self.mods, request.query_params)
        return _respond(mods=[list_item(mod) for mod in mods])

    async def _detail(self, request: Request) -> Response:
        mod = self.find(request.path_params["mod"])
        if mod is None:
            return JSONResponse({"statuscode": "404"})
        return _respond(mod=detail(mod, str(request.base_url)))

    async def _game_versions(self, _request: Request) -> Response:
        return _respond(
            gameversions=[
                {"tagid": game_versions.packed(name), "name": name, "color": "#CCCCCC"}
                for name in sorted(game_versions.ALL, key=order)
            ]
        )

    async def _tags(self, _request: Request) -> Response:
        tags = [{"tagid": n + 1, "name": name, "color": "#6AC0E4"} for n, name in enumerate(TAGS)]
        return _respond(tags=tags)

    async def _authors(self, request: Request) -> Response:
        part = request.query_params.get("name", "").lower()
        names = sorted({mod.author for mod in self.mods})
        authors = [{"userid": n + 1, "name": name} for n, name in enumerate(names)]
        return _respond(authors=[each for each in authors if part in str(each["name"]).lower()])

    async def _comments(self, _request: Request) -> Response:
        return _respond(comments=[])

    async def _changelogs(self, _request: Request) -> Response:
        return JSONResponse({"statuscode": "410"}, 410)

    async def _updates(self, request: Request) -> Response:
        updates = {}
        for name, version in _parse_ids(request.query_params.get("mods", "")):
            mod = self.find(name)
            newest = _newest(mod.published, name) if mod else None
            if newest is not None and order(newest.version) > order(version):
                updates[name] = release_document(newest, str(request.base_url))
        return _respond(updates=updates)

    async def _install_information(self, request: Request) -> Response:
        game = request.query_params.get("gv")
        data = {
            name: self._information(name, version, game, str(request.base_url))
            for name, version in _parse_ids(request.query_params.get("ids", ""))
        }
        return JSONResponse({"data": data})

    def _information(self, name: str, version: str, game: str | None, base: str) -> dict[str, Any]:
        mod = self.find(name)
        releases = [r for r in mod.releases if r.identifier == name] if mod else []
        release = next((each for each in releases if each.version == version), None)
        if mod is None or release is None:
            return {"errorCode": 4041}
        if release.retracted:
            return {"errorCode": 4101, "retractionReason": "<p>It ate worlds.</p>"}
        newest = _newest([r for r in mod.published if game in {None, *r.game_versions}], name)
        information = {"fileName": release.filename, "fileUrl": cdn_url(release, base)}
        if newest is not None and order(newest.version) > order(version):
            information["recommendedUpgrade"] = newest.version
        return information

    async def _download(self, request: Request) -> Response:
        number = request.path_params.get("number", request.query_params.get("fileid", ""))
        release = self._release(number)
        if release is None:
            return PlainTextResponse("No such file.", 404)
        if release.retracted:
            return PlainTextResponse("This release was retracted.", 410)
        return RedirectResponse(cdn_url(release, str(request.base_url)), 302)

    async def _file(self, request: Request) -> Response:
        release = self._release(request.path_params["file"].partition("_")[0])
        if release is None or release.retracted:
            return PlainTextResponse("No such file.", 404)
        if release.kind is Kind.REDIRECTS_AWAY:
            return RedirectResponse(AWAY, 302)
        content = await asyncio.to_thread(content_of, release)
        return Response(content, media_type="application/zip")

    def _release(self, number: str) -> Release | None:
        for mod in self.mods:
            for release in mod.releases:
                if str(release.number) == number:
                    return release
        return None


def _respond(**members: object) -> JSONResponse:
    return JSONResponse({"statuscode": "200", **members})


def _parse_ids(text: str) -> list[tuple[str, str]]:
    pairs = (each.partition("@") for each in text.split(",") if each)
    return [(name, version or "0.0.0") for name, _, version in pairs]


def _newest(releases: Sequence[Release], name: str) -> Release | None:
    own = [release for release in releases if release.identifier == name]
    return max(own, key=lambda release: order(release.version), default=None)


def _select(mods: Sequence[Mod], query: QueryParams) -> list[Mod]:
    """Return the mods that match a query, in its order."""
    matches = [mod for mod in mods if _fits(mod, query)]
    key = ORDERS.get(query.get("orderby", "asset.created"), ORDERS["asset.created"])
    return sorted(matches, key=key, reverse=query.get("orderdirection", "desc") != "asc")


def _fits(mod: Mod, query: QueryParams) -> bool:
    text = query.get("text", "").lower()
    tags = {_tag(number) for number in query.getlist("tagids[]")}
    versions = _versions(query)
    return (
        (text in mod.name.lower() or text in mod.summary.lower())
        and tags <= set(mod.tags)
        and query.get("author", mod.author) == mod.author
        and (not versions or any(versions & set(r.game_versions) for r in mod.published))
    )


def _tag(number: str) -> str:
    place = int(number) if number.isdecimal() else 0
    return TAGS[place - 1] if 0 < place <= len(TAGS) else ""


def _versions(query: QueryParams) -> set[str]:
    """Return the game versions that a query names, by name or by packed number."""
    versions = {
        *query.getlist("gv"),
        *query.getlist("gameversion"),
        *query.getlist("gameversions[]"),
    }
    names = {str(game_versions.packed(name)): name for name in game_versions.ALL}
    return {names.get(each, each) for each in versions}
