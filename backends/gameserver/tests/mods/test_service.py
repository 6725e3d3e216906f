"""Mods installed, updated, switched, removed and rolled back, as an admin does it over HTTP."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Ended = Callable[[httpx2.Response], Awaitable[dict[str, Any]]]
MakeZip = Callable[..., bytes]
Snapshot = Callable[[], dict[str, str]]

HOSTILE = [
    "otherid", "otherversion", "nomodinfo", "nestedmodinfo", "nozip", "slip", "symlink", "bomb",
    "oversized", "hugemodinfo", "redirectsaway",
]  # fmt: skip


async def install(api: Client, ended: Ended, *mods: str, **options: object) -> dict[str, Any]:
    """Install mods, each `id` or `id@version`, and return the operation at its end."""
    requirements = [dict(zip(("mod_id", "version"), mod.split("@"), strict=False)) for mod in mods]
    return await ended(await api.post("/mods/install", json={"mods": requirements, **options}))


def names(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_a_mod_comes_with_what_it_needs(
    mods_api: Client, ended: Ended, mods_folder: Path
) -> None:
    """An install brings dependencies along, in releases that suit the game."""
    operation = await install(mods_api, ended, "brightlanterns")
    assert operation["state"] == "done", operation
    steps = {step["mod_id"]: step for step in operation["result"]["plan"]["steps"]}
    assert {one: step["to_version"] for one, step in steps.items()} == {
        "brightlanterns": "1.2.0", "lanternlib": "1.4.0",
    }  # fmt: skip
    assert names(mods_folder) == {"brightlanterns_1.2.0.zip", "lanternlib_1.4.0.zip"}
    listed = (await mods_api.get("/mods")).json()
    assert [mod["origin"] for mod in listed["mods"]] == ["database", "database"]
    assert listed["problems"] == []


async def test_a_plan_changes_nothing(mods_api: Client, ended: Ended, snapshot: Snapshot) -> None:
    """A dry run shows the steps and every conflict, and leaves every file as it was."""
    before = snapshot()
    body = {"mods": [{"mod_id": "brightlanterns"}, {"mod_id": "lonelybees"}]}
    operation = await ended(await mods_api.post("/mods/plan", json=body))
    plan = operation["result"]["plan"]
    assert {step["mod_id"] for step in plan["steps"]} == {
        "brightlanterns", "lanternlib", "lonelybees",
    }  # fmt: skip
    assert [conflict["mod_id"] for conflict in plan["conflicts"]] == ["neverpublished"]
    assert snapshot() == before


@pytest.mark.parametrize(
    ("mods", "missing"),
    [
        (["lonelybees"], "neverpublished"),
        (["deeplanterns"], "lanternlib"),
        (["nosuchmod"], "nosuchmod"),
        (["brightlanterns@9.9.9"], "brightlanterns"),
        (["lanternlib@1.4.0", "deeplanterns"], "lanternlib"),
        (["cosyhearth@1.0.1"], "cosyhearth"),
    ],
)
async def test_conflicts_are_named_and_nothing_is_installed(
    mods_api: Client, ended: Ended, mods_folder: Path, mods: list[str], missing: str
) -> None:
    """What lacks, doesn't suit or was retracted fails the whole change, in one problem document."""
    operation = await install(mods_api, ended, "softskies", *mods)
    assert (operation["state"], operation["error"]["code"]) == ("failed", "mod_conflict")
    assert missing in [conflict["mod_id"] for conflict in operation["error"]["conflicts"]]
    assert missing in operation["error"]["detail"]
    assert names(mods_folder) == set()


@pytest.mark.parametrize("mod", HOSTILE)
async def test_a_hostile_mod_harms_nobody(
    mods_api: Client, ended: Ended, snapshot: Snapshot, mod: str
) -> None:
    """Whatever a file attempts, it is refused in words and no file is there that wasn't."""
    before = snapshot()
    operation = await install(mods_api, ended, mod)
    assert operation["state"] == "failed"
    assert operation["error"]["status"] in {409, 413, 422}, operation["error"]
    assert snapshot() == before


async def test_an_author_s_file_name_is_never_used(
    mods_api: Client, ended: Ended, mods_folder: Path
) -> None:
    """A file is called after the mod's id and version, so none takes the place of another's."""
    operation = await install(mods_api, ended, "badname", "takenname", "brightlanterns")
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {
        "badname_1.0.0.zip", "takenname_1.0.0.zip", "brightlanterns_1.2.0.zip",
        "lanternlib_1.4.0.zip",
    }  # fmt: skip


async def test_a_file_that_is_not_replaced_is_never_overwritten(
    mods_api: Client, ended: Ended, mods_folder: Path, snapshot: Snapshot
) -> None:
    """A hand-placed file of the same name stands in the way, and stays."""
    (mods_folder / "lanternlib_1.4.0.zip").write_bytes(b"mine")
    before = snapshot()
    operation = await install(mods_api, ended, "lanternlib")
    assert operation["error"]["code"] == "mod_file_conflict"
    assert snapshot() == before


async def test_an_update_leaves_pinned_and_disabled_mods_alone(
    mods_api: Client, ended: Ended, mods_folder: Path
) -> None:
    """Update all brings what is newer; not what is pinned; a roll back brings the former file."""
    old = {"any_game_version": True}
    await install(mods_api, ended, "brightlanterns@1.0.0", "lanternlib@1.0.0", **old)
    updates = (await mods_api.get("/mods/updates")).json()
    assert {update["mod_id"]: update["newest"] for update in updates["updates"]} == {
        "brightlanterns": "1.2.0", "lanternlib": "1.4.0",
    }  # fmt: skip
    assert (await mods_api.put("/mods/installed/lanternlib/pin")).status_code == 204
    operation = await ended(await mods_api.post("/mods/update", json={}))
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {"brightlanterns_1.2.0.zip", "lanternlib_1.0.0.zip"}
    operation = await ended(await mods_api.post("/mods/rollback", json={}))
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {"brightlanterns_1.0.0.zip", "lanternlib_1.0.0.zip"}
    operation = await ended(await mods_api.post("/mods/rollback", json={}))
    assert names(mods_folder) == set()
    again = await ended(await mods_api.post("/mods/rollback", json={}))
    assert again["error"]["code"] == "no_previous_mods"


async def test_several_changes_are_rolled_back_at_once(
    mods_api: Client, ended: Ended, mods_folder: Path, snapshot: Snapshot
) -> None:
    """Rolling back to before a change undoes those after it as well, byte for byte."""
    await install(mods_api, ended, "softskies")
    (name,) = names(mods_folder)
    before = mods_folder / name
    content = before.read_bytes()
    await install(mods_api, ended, "lanternlib@1.0.0", any_game_version=True)
    changed = (await mods_api.get("/mods/changes")).json()[0]["id"]
    await install(mods_api, ended, "brightlanterns")
    await ended(await mods_api.post("/mods/installed/softskies/remove", json={}))
    await ended(await mods_api.post("/mods/rollback", json={"change": changed}))
    assert names(mods_folder) == {before.name}
    assert before.read_bytes() == content
    assert len((await mods_api.get("/mods/changes")).json()) == 1


async def test_what_others_need_is_not_removed(
    mods_api: Client, ended: Ended, mods_folder: Path, problem_of: ProblemOf
) -> None:
    """Removing or disabling a mod that others need is a 409 naming them, unless forced."""
    await install(mods_api, ended, "brightlanterns")
    for action in ("remove", "disable"):
        response = await mods_api.post(f"/mods/installed/lanternlib/{action}", json={})
        assert problem_of(response, 409)["needed_by"] == ["brightlanterns"]
    forced = await mods_api.post("/mods/installed/lanternlib/disable", json={"force": True})
    await ended(forced)
    assert names(mods_folder) == {"brightlanterns_1.2.0.zip", "lanternlib_1.4.0.zip.disabled"}
    listed = (await mods_api.get("/mods")).json()
    assert [problem["mod_id"] for problem in listed["problems"]] == ["lanternlib"]
    await ended(await mods_api.post("/mods/installed/lanternlib/enable", json={}))
    assert names(mods_folder) == {"brightlanterns_1.2.0.zip", "lanternlib_1.4.0.zip"}


async def test_a_mod_is_uploaded(
    mods_api: Client, ended: Ended, mods_folder: Path, make_zip: MakeZip, problem_of: ProblemOf
) -> None:
    """An upload is checked like a download; its dependencies come from the mod database."""
    content = make_zip("lamps", "2.0.0", dependencies={"lanternlib": "1.0.0"})
    files = {"file": ("../../../evil.zip", content)}
    operation = await ended(await mods_api.post("/mods/upload", files=files))
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {"lamps_2.0.0.zip", "lanternlib_1.4.0.zip"}
    assert (mods_folder / "lamps_2.0.0.zip").read_bytes() == content
    bad = await mods_api.post("/mods/upload", files={"file": ("mod.zip", b"no zip at all")})
    assert problem_of(bad, 422)["code"] == "invalid_mod_file"


@pytest.mark.parametrize(
    "mod_id", ["temporal_gears_stack", "118hair", "TA_plainsandvalleys", "combat-overhaul"]
)
async def test_ids_as_people_choose_them(
    mods_api: Client, ended: Ended, mods_folder: Path, make_zip: MakeZip, mod_id: str
) -> None:
    """What the game loads can be installed, disabled, pinned and removed, in any case of its id."""
    content = make_zip(mod_id, "1.0.0")
    operation = await ended(await mods_api.post("/mods/upload", files={"file": ("x.zip", content)}))
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {f"{mod_id.lower()}_1.0.0.zip"}
    url = f"/mods/installed/{mod_id}"
    assert (await mods_api.get(url)).json()["mod_id"] == mod_id.lower()
    assert (await mods_api.put(f"{url}/pin")).status_code < 300
    await ended(await mods_api.post(f"{url}/disable", json={}))
    assert names(mods_folder) == {f"{mod_id.lower()}_1.0.0.zip.disabled"}
    await ended(await mods_api.post(f"{url}/remove", json={}))
    assert names(mods_folder) == set()


async def test_what_the_game_says_of_a_mod_is_its_problem(
    mods_api: Client, mods_folder: Path, make_zip: MakeZip
) -> None:
    """A mod that throws, or whose modinfo the game can't read, is shown with the game's words."""
    broken = make_zip("broken", entries={"simulated-game.json": b'{"startup": "assembly"}'})
    (mods_folder / "broken.zip").write_bytes(broken)
    (mods_folder / "needy one.zip").write_bytes(make_zip("needy", dependencies={"Lib": "1.0.0"}))
    (mods_folder / "sound.zip").write_bytes(make_zip("sound"))
    assert (await mods_api.post("/server/start?wait=20")).json()["state"] == "running"
    listed = {mod["mod_id"]: mod["problem"] for mod in (await mods_api.get("/mods")).json()["mods"]}
    assert listed == {
        "broken": "An exception was thrown when trying to load assembly",
        "needy": "Lib@1.0.0 - Missing",
        "sound": None,
    }
    one = (await mods_api.get("/mods/installed/broken")).json()
    assert one["problem"] == listed["broken"]
    run = (await mods_api.get("/server")).json()["run"]
    assert run["mods"]["loaded"] == ["game", "creative", "survival", "sound"]


async def test_a_dependency_with_any_id_is_checked(
    mods_api: Client, ended: Ended, make_zip: MakeZip
) -> None:
    """An id with an underscore that is needed and missing is a conflict, not silence."""
    content = make_zip("lamps", dependencies={"Oil_Lib": "1.0.0"})
    operation = await ended(await mods_api.post("/mods/upload", files={"file": ("x.zip", content)}))
    assert operation["error"]["conflicts"][0]["mod_id"] == "oil_lib"


async def test_a_mod_of_the_database_with_any_id(
    mods_api: Client, ended: Ended, mods_folder: Path
) -> None:
    """It is listed with its id, has a page, and is installed by the id as it is shown."""
    listed = (await mods_api.get("/mod-database/mods?q=quackpack")).json()["mods"]
    assert [mod["mod_ids"] for mod in listed] == [["vsinstruments_quackpack"]]
    page = await mods_api.get("/mod-database/mods/VSInstruments_QuackPack")
    assert page.json()["recommended"] == {"vsinstruments_quackpack": "1.0.0"}
    operation = await install(mods_api, ended, "VSInstruments_QuackPack")
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {"vsinstruments_quackpack_1.0.0.zip"}


async def test_a_mod_comes_from_an_allowed_url_only(
    mods_api: Client, ended: Ended, mods_folder: Path, database_url: str
) -> None:
    """Other hosts, private addresses, and redirects to either are refused; files are checked."""
    page = (await mods_api.get("/mod-database/mods/softskies")).json()["mod"]
    url = page["releases"][0]["url"]
    for refused in (
        "http://127.0.0.1:1/x.zip", "https://example.org/x.zip", "file:///etc/passwd",
        "ftp://mods.vintagestory.at/x", "http://mods.vintagestory.at/x",
        "https://a:b@mods.vintagestory.at/", "https://mods.vintagestory.at:8443/", "x", "",
        "http://[::1", f"{database_url}@evil.example/",
    ):  # fmt: skip
        body = {"url": refused}
        operation = await ended(await mods_api.post("/mods/install-from-url", json=body))
        assert operation["error"]["code"] == "download_refused", refused
    wrong = {"url": url, "mod_id": "lanternlib"}
    operation = await ended(await mods_api.post("/mods/install-from-url", json=wrong))
    assert operation["error"]["code"] == "invalid_mod_file"
    operation = await ended(await mods_api.post("/mods/install-from-url", json={"url": url}))
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {"softskies_1.0.0.zip"}


async def test_what_a_hand_did_is_noticed(
    mods_api: Client, ended: Ended, mods_folder: Path, make_zip: MakeZip, tmp_path: Path
) -> None:
    """Files put there, changed or taken away past the manager are shown; a roll back asks first."""
    await install(mods_api, ended, "softskies", "lanternlib")
    (mods_folder / "own.zip").write_bytes(make_zip("own"))
    (mods_folder / "softskies_1.0.0.zip").write_bytes(make_zip("softskies"))
    (mods_folder / "lanternlib_1.4.0.zip").unlink()
    (mods_folder / "link.zip").symlink_to(tmp_path / "elsewhere.zip")
    (mods_folder / "broken.zip").write_bytes(b"PK")
    (mods_folder / "Folder").mkdir()
    (mods_folder / "Folder" / "modinfo.json").write_text('{"name": "In A Folder"}')
    listed = (await mods_api.get("/mods")).json()
    mods = {mod["file"]: mod for mod in listed["mods"]}
    assert mods["own.zip"]["origin"] == "hand"
    assert mods["softskies_1.0.0.zip"]["changed_by_hand"] is True
    assert listed["missing"] == ["lanternlib"]
    assert mods["link.zip"]["kind"] == "link"
    assert mods["broken.zip"]["problem"]
    assert mods["Folder"]["mod_id"] == "inafolder"
    operation = await ended(await mods_api.post("/mods/rollback", json={}))
    assert operation["error"]["code"] == "mod_files_changed"
    operation = await ended(await mods_api.post("/mods/rollback", json={"force": True}))
    assert operation["state"] == "done", operation
    assert names(mods_folder) == {"own.zip", "link.zip", "broken.zip", "Folder"}


async def test_players_are_told_what_they_need(
    mods_api: Client, ended: Ended, make_zip: MakeZip
) -> None:
    """The client list has what clients must have, with where it came from, also as plain text."""
    await install(mods_api, ended, "softskies")
    quiet, odd = make_zip("quiet", side="Server"), make_zip("odd", requiredOnClient=False)
    for content in (quiet, odd):
        files = {"file": ("mod.zip", content)}
        await ended(await mods_api.post("/mods/upload", files=files))
    (listed,) = (await mods_api.get("/mods/client-list")).json()["mods"]
    assert (listed["mod_id"], listed["version"]) == ("softskies", "1.0.0")
    text = (await mods_api.get("/mods/client-list.txt")).text
    assert text == f"softskies 1.0.0 {listed['url']}\n"


async def test_a_running_game_keeps_its_mods(
    mods_api: Client, ended: Ended, mods_folder: Path, problem_of: ProblemOf
) -> None:
    """While the game runs every change is a 409 that says what to do; with `restart` it is made."""
    started = await mods_api.post("/server/start", params={"wait": 20})
    assert started.is_success, started.text
    body: dict[str, object] = {"mods": [{"mod_id": "softskies"}]}
    refused = problem_of(await mods_api.post("/mods/install", json=body), 409)
    assert refused["code"] == "game_running"
    operation = await ended(await mods_api.post("/mods/install", json={**body, "restart": True}))
    assert (operation["state"], operation["result"]["ready"]) == ("done", True), operation
    assert names(mods_folder) == {"softskies_1.0.0.zip"}
    assert (await mods_api.get("/server")).json()["state"] == "running"


async def test_a_mod_that_breaks_the_game_is_taken_back(
    mods_api: Client, ended: Ended, mods_folder: Path
) -> None:
    """When the game isn't ready with new mods, the former ones come back if that was asked for."""
    await install(mods_api, ended, "softskies")
    started = await mods_api.post("/server/start", params={"wait": 20})
    assert started.is_success, started.text
    body = {"mods": [{"mod_id": "brittlegears"}], "restart": True, "rollback_if_not_ready": True}
    operation = await ended(await mods_api.post("/mods/install", json=body))
    assert operation["error"]["code"] == "game_not_ready"
    assert operation["error"]["rolled_back"] is True
    assert operation["error"]["ready"] is True
    assert names(mods_folder) == {"softskies_1.0.0.zip"}


async def test_a_monitor_only_looks(
    mods_api: Client, monitor: dict[str, str], problem_of: ProblemOf
) -> None:
    """A monitor's key reads the mods, and changes none."""
    for path in ("/mods", "/mods/changes", "/mods/client-list", "/mod-database/mods"):
        assert (await mods_api.get(path, headers=monitor)).status_code == 200
    for path, body in {
        "/mods/plan": {}, "/mods/install": {"mods": [{"mod_id": "softskies"}]},
        "/mods/rollback": {}, "/mods/update": {}, "/mods/installed/softskies/remove": {},
    }.items():  # fmt: skip
        problem_of(await mods_api.post(path, json=body, headers=monitor), 403)
