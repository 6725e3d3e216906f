"""The stand-in of the mod database: the API's shapes, its files, and its fault modes."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from gameserver_simulator.stand_ins.catalogue import Kind
from gameserver_simulator.stand_ins.mod_database import ModDatabase

LIST_ITEM = [
    "modid",
    "assetid",
    "downloads",
    "follows",
    "trendingpoints",
    "comments",
    "name",
    "summary",
    "modidstrs",
    "author",
    "urlalias",
    "side",
    "type",
    "logo",
    "tags",
    "lastreleased",
]
RELEASE = [
    "releaseid",
    "mainfile",
    "filename",
    "fileid",
    "downloads",
    "tags",
    "modidstr",
    "modversion",
    "created",
    "changelog",
]


@pytest.fixture(scope="module")
def database() -> ModDatabase:
    """Give the stand-in, with the mods that attack."""
    return ModDatabase(100, hostile=True)


@pytest.fixture(scope="module")
def web(database: ModDatabase) -> Iterator[httpx2.Client]:
    """Give a client of the served stand-in."""
    with database.serving() as url, httpx2.Client(base_url=url, timeout=60) as client:
        yield client


def mods(web: httpx2.Client, **query: Any) -> list[str]:
    """Return the ids of the mods that a query finds."""
    found = web.get("/api/mods", params=query).json()["mods"]
    return [mod["modidstrs"][0] for mod in found if mod["modidstrs"]]


def file_of(database: ModDatabase, web: httpx2.Client, name: str) -> bytes:
    """Return the newest file of a mod."""
    mod = database.find(name)
    assert mod is not None
    number = mod.releases[0].number
    return web.get(f"/download?fileid={number}", follow_redirects=True).content


def test_the_list_has_the_shape_of_the_real_one(web: httpx2.Client) -> None:
    """Every item has the members of the real item, and the status is a text."""
    document = web.get("/api/mods").json()
    assert document["statuscode"] == "200"
    assert all(list(mod) == LIST_ITEM for mod in document["mods"])
    assert any(mod["modidstrs"] == [] for mod in document["mods"])


def test_filters_and_orders(web: httpx2.Client) -> None:
    """Text, tag, game version and author narrow the list; an order sorts it."""
    assert "brightlanterns" in mods(web, text="bright lan")
    assert "lanternlib" in mods(web, **{"tagids[]": "6"})
    assert "deeplanterns" in mods(web, gv="1.21.6")
    assert "deeplanterns" not in mods(web, gv="1.20.11")
    packed = web.get("/api/gameversions").json()["gameversions"][0]["tagid"]
    assert mods(web, gameversion=packed) == mods(web, gv="1.20.11")
    found = web.get("/api/mods", params={"orderby": "downloads"}).json()["mods"]
    counts = [mod["downloads"] for mod in found]
    assert counts == sorted(counts, reverse=True)


def test_a_detail_has_the_shape_of_the_real_one(web: httpx2.Client) -> None:
    """A mod is found by number and by id; releases are newest first and name their files."""
    mod = web.get("/api/mod/brightlanterns").json()["mod"]
    assert web.get(f"/api/mod/{mod['modid']}").json()["mod"] == mod
    assert [list(release) for release in mod["releases"]] == [RELEASE] * 3
    assert [release["modversion"] for release in mod["releases"]] == ["1.2.0", "1.1.0", "1.0.0"]
    assert "<script>" in mod["text"]
    assert web.get(mod["releases"][0]["mainfile"]).content[:2] == b"PK"


def test_an_error_is_a_text_in_a_response_of_200(web: httpx2.Client) -> None:
    """What is missing is `statuscode` "404" with HTTP 200."""
    response = web.get("/api/mod/nosuchmod")
    assert (response.status_code, response.json()) == (200, {"statuscode": "404"})


def test_tags_authors_comments(web: httpx2.Client) -> None:
    """The small lists have their members; the changelogs are gone."""
    assert {"tagid", "name", "color"} == set(web.get("/api/tags").json()["tags"][0])
    assert web.get("/api/authors?name=hil").json()["authors"][0]["name"] == "Hild"
    assert web.get("/api/comments/30001").json()["comments"] == []
    assert web.get("/api/changelogs").json()["statuscode"] == "410"


def test_updates_name_newer_releases_alone(web: httpx2.Client) -> None:
    """A mod that is up to date isn't listed."""
    asked = "brightlanterns@1.1.0,lanternlib@3.0.0,nosuchmod@1.0.0"
    updates = web.get("/api/updates", params={"mods": asked}).json()["updates"]
    assert {name: release["modversion"] for name, release in updates.items()} == {
        "brightlanterns": "1.2.0"
    }


def test_install_information(web: httpx2.Client) -> None:
    """Files, upgrades for a game version, retracted and unknown releases."""
    ids = "brightlanterns@1.0.0,cosyhearth@1.0.1,nosuchmod@1"
    url = "/api/v2/mods/install-information"
    data = web.get(url, params={"ids": ids, "gv": "1.21.6"}).json()["data"]
    assert data["brightlanterns"]["recommendedUpgrade"] == "1.2.0"
    assert data["cosyhearth"]["errorCode"] == 4101
    assert data["nosuchmod"] == {"errorCode": 4041}


def test_downloads_redirect_to_files(database: ModDatabase, web: httpx2.Client) -> None:
    """Both forms redirect; a retracted file is gone and isn't listed."""
    mod = database.find("cosyhearth")
    assert mod is not None
    retracted, sound = mod.releases
    assert web.get(f"/download/{sound.number}/any").status_code == 302
    assert web.get(f"/download?fileid={retracted.number}").status_code == 410
    assert web.get("/download?fileid=999999").status_code == 404
    assert len(web.get("/api/mod/cosyhearth").json()["mod"]["releases"]) == 1


def test_files_are_real_mods(database: ModDatabase, web: httpx2.Client) -> None:
    """A file is a zip whose modinfo names the mod, its version and what it needs."""
    content = file_of(database, web, "brightlanterns")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = json.loads(archive.read("modinfo.json"))
    assert (info["modid"], info["version"]) == ("brightlanterns", "1.2.0")
    assert info["dependencies"]["lanternlib"] == "1.0.0"
    assert file_of(database, web, "brightlanterns") == content


@pytest.mark.parametrize(
    ("kind", "trait"),
    [
        (Kind.SLIP, lambda names, _: "../../evil.txt" in names),
        (Kind.NO_MODINFO, lambda names, _: "modinfo.json" not in names),
        (Kind.NESTED_MODINFO, lambda names, _: "nestedmodinfo/modinfo.json" in names),
        (Kind.SYMLINK, lambda names, _: "assets/link" in names),
        (Kind.BOMB, lambda _, content: len(content) < 200_000),
        (Kind.OVERSIZED, lambda _, content: len(content) > 40 * 1024 * 1024),
    ],
)
def test_hostile_files_are_what_they_say(
    database: ModDatabase, web: httpx2.Client, kind: Kind, trait: Any
) -> None:
    """Each kind of attack is really in the file."""
    content = file_of(database, web, kind.replace("_", ""))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert trait(archive.namelist(), content)


def test_a_hostile_file_redirects_away(database: ModDatabase, web: httpx2.Client) -> None:
    """One file leads to an address that only the machine itself can ask."""
    mod = database.find("redirectsaway")
    assert mod is not None
    file = web.get(f"/download?fileid={mod.releases[0].number}").headers["location"]
    assert "169.254.169.254" in web.get(file).headers["location"]


def test_as_many_mods_as_the_real_one() -> None:
    """5,000 mods are invented with different ids, the same each time."""
    first, second = ModDatabase(5_000), ModDatabase(5_000)
    assert first.mods == second.mods
    ids = [name for mod in first.mods for name in mod.identifiers]
    assert len(set(ids)) == len(ids) >= 5_000


def test_it_misbehaves_as_told() -> None:
    """It fails by status, by statuscode, with nonsense, and in the middle of a body."""
    database = ModDatabase(10)
    with database.serving() as url, httpx2.Client(base_url=url, timeout=60) as web:
        database.fault_modes.status = 503
        assert web.get("/api/mods").status_code == 503
        database.fault_modes.status = None
        database.fault_modes.statuscode = "500"
        assert web.get("/api/mods").json() == {"statuscode": "500"}
        database.fault_modes.statuscode = None
        database.fault_modes.nonsense = True
        with pytest.raises(ValueError, match="Expecting"):
            web.get("/api/mods").json()
        database.fault_modes.nonsense = False
        database.fault_modes.cut_after = 10
        with pytest.raises(httpx2.RemoteProtocolError):
            web.get("/api/mods")
        database.fault_modes.only = "/cdn/"
        assert web.get("/api/mods?text=a").json()["statuscode"] == "200"
        database.fault_modes.delay_seconds = 60
        with pytest.raises(httpx2.ReadTimeout):
            web.get("/cdn/1_lanternlib.zip", timeout=0.05)
    assert database.fault_modes.requests[-2:] == ["/api/mods?text=a", "/cdn/1_lanternlib.zip"]
