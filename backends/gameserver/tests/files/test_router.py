"""Raw files over HTTP."""

from pathlib import Path

import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

CONTENT = "/files/content"


@pytest.fixture
def served(api: Client, tmp_path: Path) -> Path:
    """Give serverdata, with a mod's settings in it."""
    served = tmp_path / "data" / "serverdata"
    (served / "ModConfig").mkdir()
    (served / "ModConfig" / "a.json").write_bytes(b"\xef\xbb\xbf{\r\n}\r\n")
    (served / "ModConfig" / "cyrillic.txt").write_bytes("Привет".encode("cp1251"))
    return served


async def test_a_file_is_read_edited_and_deleted(
    api: Client, served: Path, problem_of: ProblemOf
) -> None:
    """What was read is replaced or deleted; what changed meanwhile is a 412."""
    a = {"path": "ModConfig/a.json"}
    read = await api.get(CONTENT, params=a)
    assert read.content == b"\xef\xbb\xbf{\r\n}\r\n"
    assert read.headers["content-type"] == "text/plain; charset=utf-8"
    assert read.headers["x-content-type-options"] == "nosniff"
    etag = read.headers["etag"]
    headers = {"If-Match": etag, "Content-Type": "text/plain"}
    written = await api.put(CONTENT, params=a, content=b"{ }\n", headers=headers)
    assert written.status_code == 204, written.text
    assert (served / "ModConfig" / "a.json").read_bytes() == b"\xef\xbb\xbf{ }\r\n"
    problem_of(await api.put(CONTENT, params=a, content=b"late", headers=headers), 412)
    problem_of(await api.delete(CONTENT, params=a, headers={"If-Match": etag}), 412)
    problem_of(await api.delete(CONTENT, params=a), 428)
    problem_of(await api.put(CONTENT, params=a, content=b"blind"), 428)
    current = {"If-Match": written.headers["etag"]}
    assert (await api.delete(CONTENT, params=a, headers=current)).status_code == 204
    problem_of(await api.get(CONTENT, params=a), 404)


async def test_a_file_is_made_once(api: Client, served: Path, problem_of: ProblemOf) -> None:
    """`If-None-Match: *` makes a file, and never replaces one; its folder must be there."""
    new = {"If-None-Match": "*"}
    path = {"path": "ModConfig/new.json"}
    assert (await api.put(CONTENT, params=path, content=b"{}", headers=new)).status_code == 204
    for headers in (new, {**new, "If-Match": "*"}):
        problem_of(await api.put(CONTENT, params=path, content=b"{}", headers=headers), 412)
    nowhere = {"path": "Nowhere/new.json"}
    problem_of(await api.put(CONTENT, params=nowhere, content=b"{}", headers=new), 404)
    listed = (await api.get("/files", params={"path": "ModConfig"})).json()
    assert [entry["name"] for entry in listed["entries"]] == ["a.json", "cyrillic.txt", "new.json"]


async def test_other_encodings_are_kept(api: Client, served: Path, problem_of: ProblemOf) -> None:
    """A file that isn't UTF-8 is bytes: never text that would damage it."""
    path = {"path": "ModConfig/cyrillic.txt"}
    read = await api.get(CONTENT, params=path)
    assert read.headers["content-type"] == "application/octet-stream"
    etag = {"If-Match": read.headers["etag"]}
    text = {**etag, "Content-Type": "text/plain"}
    problem_of(await api.put(CONTENT, params=path, content=b"x", headers=text), 422)
    content = "Пока".encode("cp1251")
    assert (await api.put(CONTENT, params=path, content=content, headers=etag)).is_success
    assert (served / "ModConfig" / "cyrillic.txt").read_bytes() == content


@pytest.mark.parametrize(
    "path", ["../manager/state/mods.json", "/etc/passwd", "a\0", "..", "Mods/../../x", "\ufffe"]
)
async def test_paths_that_lead_elsewhere_are_refused(
    api: Client, served: Path, problem_of: ProblemOf, path: str
) -> None:
    """Reading, writing, deleting and listing refuse a hostile path with a 4xx."""
    headers = {"If-None-Match": "*"}
    for response in (
        await api.get(CONTENT, params={"path": path}),
        await api.put(CONTENT, params={"path": path}, content=b"x", headers=headers),
        await api.delete(CONTENT, params={"path": path}, headers={"If-Match": "*"}),
        await api.get("/files", params={"path": path}),
    ):
        assert response.status_code in {400, 422}, response.text


async def test_a_running_game_keeps_its_files(
    api: Client, served: Path, problem_of: ProblemOf
) -> None:
    """World files, settings and lists are a 409 while the game runs; settings of mods are not."""
    started = await api.post("/server/start", params={"wait": 20})
    assert started.json()["state"] == "running", started.text
    anything = {"If-Match": "*"}
    for held in (
        "serverconfig.json",
        "Saves/default.vcdbs",
        "saves/x",
        "Playerdata/playerdata.json",
    ):
        put = await api.put(CONTENT, params={"path": held}, content=b"", headers=anything)
        assert problem_of(put, 409)["code"] == "file_in_use"
        problem_of(await api.delete(CONTENT, params={"path": held}, headers=anything), 409)
    problem_of(await api.get(CONTENT, params={"path": "Saves/default.vcdbs"}), 409)
    path = {"path": "ModConfig/a.json"}
    assert (await api.put(CONTENT, params=path, content=b"{}", headers=anything)).is_success
    await api.post("/server/stop", params={"wait": 20})
    read = await api.get(CONTENT, params={"path": "serverconfig.json"})
    headers = {"If-Match": read.headers["etag"]}
    path = {"path": "serverconfig.json"}
    assert (await api.put(CONTENT, params=path, content=read.content, headers=headers)).is_success


async def test_only_admins_see_files(
    api: Client, monitor: dict[str, str], problem_of: ProblemOf
) -> None:
    """A monitor's key neither lists nor reads."""
    problem_of(await api.get("/files", headers=monitor), 403)
    problem_of(await api.get(CONTENT, params={"path": "x"}, headers=monitor), 403)
