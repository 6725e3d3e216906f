"""The documents of the mod database's API."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from gameserver_simulator.stand_ins.catalogue import Mod, Release

LOGO = "https://moddbcdn.vintagestory.at/invented.jpg"


def moment(value: datetime) -> str:
    """Return a time as the API writes it, without a zone."""
    return f"{value:%Y-%m-%d %H:%M:%S}"


def list_item(mod: Mod) -> dict[str, Any]:
    """Return a mod as an item of the list."""
    return {
        "modid": mod.number,
        "assetid": mod.asset,
        "downloads": mod.downloads,
        "follows": mod.downloads // 50,
        "trendingpoints": mod.downloads // 90,
        "comments": mod.number % 7,
        "name": mod.name,
        "summary": mod.summary,
        "modidstrs": list(mod.identifiers),
        "author": mod.author,
        "urlalias": mod.identifiers[0] if mod.identifiers else None,
        "side": mod.side,
        "type": mod.type,
        "logo": LOGO if mod.number % 2 else None,
        "tags": list(mod.tags),
        "lastreleased": last_released(mod),
    }


def last_released(mod: Mod) -> str | None:
    """Return the time of a mod's newest release, if it has any."""
    return moment(mod.published[0].created) if mod.published else None


def detail(mod: Mod, base: str) -> dict[str, Any]:
    """Return a mod's own document; `base` is the URL of the files, with a slash at the end."""
    item = list_item(mod)
    dropped = {"summary", "modidstrs", "logo", "lastreleased"}
    return {
        **{key: value for key, value in item.items() if key not in dropped},
        "text": mod.text,
        "logofilename": LOGO,
        "logofile": LOGO,
        "logofiledb": LOGO,
        "homepageurl": None,
        "sourcecodeurl": None,
        "trailervideourl": None,
        "issuetrackerurl": None,
        "wikiurl": None,
        "created": moment(mod.releases[-1].created),
        "lastreleased": item["lastreleased"],
        "lastmodified": item["lastreleased"],
        "releases": [release_document(each, base) for each in mod.published],
        "screenshots": [],
    }


def release_document(release: Release, base: str) -> dict[str, Any]:
    """Return a release's document."""
    return {
        "releaseid": release.number,
        "mainfile": cdn_url(release, base),
        "filename": release.filename,
        "fileid": release.number,
        "downloads": release.number * 3,
        "tags": list(release.game_versions),
        "modidstr": release.identifier,
        "modversion": release.version,
        "created": moment(release.created),
        "changelog": release.changelog,
    }


def cdn_url(release: Release, base: str) -> str:
    """Return the URL of a release's file."""
    name = quote(release.filename, safe="")
    return f"{base}cdn/{release.number}_{release.identifier}.zip?dl={name}"
