"""Backups over HTTP, of a real (simulated) game: made, listed, downloaded, uploaded, restored."""

import asyncio
import hashlib
import json
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import zstandard

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf
from gameserver.backups.worlds import copy_stopped_world
from gameserver.operations.schemas import Operation, OperationState
from gameserver_simulator.game.world import marks

Ended = Callable[[Client, httpx2.Response], Awaitable[Operation]]
OpenAPI = Callable[..., Awaitable[Client]]
MakeWorld = Callable[[Path, int], None]
ChunksIn = Callable[[Path], int]
# The archives are our own; Python 3.11.2 (Debian 12) has no filters and ignores this.
DATA_FILTER = getattr(tarfile, "data_filter", None)
ABSENT = "20260101-000000-manual-00000000"


async def _started(api: Client) -> None:
    answer = await api.post("/server/start", params={"wait": 20})
    assert answer.json()["state"] == "running", answer.text


async def _stopped(api: Client) -> None:
    assert (await api.post("/server/stop", params={"wait": 20})).json()["state"] == "stopped"


async def _backup(api: Client, ended: Ended, **body: Any) -> dict[str, Any]:
    operation = await ended(api, await api.post("/backups", json=body))
    assert operation.state is OperationState.DONE, operation.error
    answer = await api.get(f"/backups/{operation.result['backup']}")
    found: dict[str, Any] = answer.json()
    return found


async def test_without_a_world_there_is_nothing_to_back_up(
    backups_api: Client, problem_of: ProblemOf
) -> None:
    """A game that never ran has no world: 409, and nothing is begun."""
    assert problem_of(await backups_api.post("/backups"), 409)["code"] == "world_not_found"
    assert (await backups_api.get("/operations")).json() == []


async def test_a_running_game_copies_its_world_at_a_consistent_point(
    backups_api: Client, ended: Ended, data: Path, tmp_path: Path
) -> None:
    """The copy passes the check, holds one whole save, and the game's own folder is left clean."""
    await _started(backups_api)
    made = await _backup(backups_api, ended, note="before the party")
    assert made["kind"] == "manual"
    assert made["note"] == "before the party"
    assert {"Saves", "Playerdata", "serverconfig.json"} <= set(made["contents"])
    assert list((data / "Backups").iterdir()) == []
    _unpack(tmp_path / f"data/manager/backups/{made['id']}/backup.tar.zst", tmp_path / "out")
    assert len(set(marks(tmp_path / "out/Saves/default.vcdbs").values())) == 1
    assert (await backups_api.get("/server")).json()["state"] == "running"


async def test_a_game_in_another_language_is_watched_all_the_same(
    open_api: OpenAPI, ended: Ended
) -> None:
    """The end is seen by the file, not by words: a Russian server's backup is whole, too."""
    api = await open_api(simulate={"language": "ru"})
    await _started(api)
    assert (await _backup(api, ended))["contents"]["Saves"]["files"] == 1


async def test_a_stuck_flag_of_the_game_is_a_clear_error(
    open_api: OpenAPI, ended: Ended, data: Path
) -> None:
    """After a copy that never ended the game refuses all others; the error says what helps."""
    api = await open_api(simulate={"backup_fails": 1}, backup_settle_seconds=60)
    await _started(api)
    await api.post("/console/commands", json={"command": "/genbackup stuck.vcdbs"})
    operation = await ended(api, await api.post("/backups"))
    assert operation.error is not None
    assert operation.error.code == "backup_not_started"
    assert "stop it" in str(operation.error.detail)
    assert (await api.get("/backups")).json() == []
    await _stopped(api)
    await _backup(api, ended)


async def test_a_forged_report_does_not_fail_a_backup(open_api: OpenAPI, ended: Ended) -> None:
    """A player's message with a line feed says that the copy is complete, while it still grows."""
    api = await open_api(simulate={"backup_seconds": 2, "world_kib": 4096})
    await _started(api)
    answer = await api.post("/backups")
    forged = r"/simulate chat Mallory hi\n1.1.2026 10:00:00 [Server Notification] Backup complete!"
    body = {"command": forged, "allow_selectors": True}
    for _ in range(4):
        assert (await api.post("/console/commands", json=body)).status_code == 200
    operation = await ended(api, answer)
    assert operation.state is OperationState.DONE, operation.error


async def test_a_copy_that_is_damaged_gets_no_name(open_api: OpenAPI, ended: Ended) -> None:
    """When the game says "complete" over a broken file, the check finds out."""
    api = await open_api(simulate={"backup_damaged": 1})
    await _started(api)
    operation = await ended(api, await api.post("/backups"))
    assert operation.error is not None
    assert operation.error.code in {"world_damaged", "backup_incomplete"}
    assert (await api.get("/backups")).json() == []


async def test_a_stop_that_cuts_the_copy_is_noticed(
    open_api: OpenAPI, ended: Ended, data: Path
) -> None:
    """A game that stops in the middle leaves half a file: no backup, and no half file remains."""
    api = await open_api(simulate={"backup_seconds": 30, "world_kib": 4096})
    await _started(api)
    begun = await api.post("/backups")
    for _ in range(600):
        if any((data / "Backups").glob("*.vcdbs")):
            break
        await asyncio.sleep(0.05)
    await _stopped(api)
    operation = await ended(api, begun)
    assert operation.error is not None
    assert operation.error.code == "backup_incomplete"
    assert list((data / "Backups").iterdir()) == []
    assert (await api.get("/backups")).json() == []


async def test_a_stopped_game_is_backed_up_with_its_log(
    backups_api: Client,
    ended: Ended,
    data: Path,
    tmp_path: Path,
    make_world: MakeWorld,
    chunks_in: ChunksIn,
) -> None:
    """A world that a crash left with a `-wal` is copied with all that was committed."""
    make_world(data / "Saves/default.vcdbs", 400)
    made = await _backup(backups_api, ended)
    _unpack(tmp_path / f"data/manager/backups/{made['id']}/backup.tar.zst", tmp_path / "out")
    assert chunks_in(tmp_path / "out/Saves/default.vcdbs") == 400


async def test_a_link_among_the_mods_is_named_and_not_followed(
    backups_api: Client, ended: Ended, data: Path, tmp_path: Path, make_world: MakeWorld
) -> None:
    """A mod that links to a secret doesn't put it into the backup."""
    make_world(data / "Saves/default.vcdbs", 1)
    (tmp_path / "secret").write_text("secret")
    (data / "Mods/link.zip").symlink_to(tmp_path / "secret")
    made = await _backup(backups_api, ended)
    assert made["skipped"] == ["Mods/link.zip"]
    assert "Mods" not in made["contents"]


async def test_a_damaged_world_is_not_backed_up(
    backups_api: Client, ended: Ended, data: Path
) -> None:
    """A world that fails SQLite's check is an error, not a backup that fails when it's needed."""
    (data / "Saves/default.vcdbs").write_bytes(b"not a database" * 1000)
    operation = await ended(backups_api, await backups_api.post("/backups"))
    assert operation.error is not None
    assert operation.error.code == "world_damaged"
    assert (await backups_api.get("/backups")).json() == []


async def test_the_archive_can_be_downloaded_in_whole_and_in_parts(
    backups_api: Client, ended: Ended, data: Path, make_world: MakeWorld
) -> None:
    """Length, digest, name and ETag are right, and a range is served."""
    make_world(data / "Saves/default.vcdbs", 50)
    made = await _backup(backups_api, ended)
    url = f"/backups/{made['id']}/download"
    whole = await backups_api.get(url)
    assert int(whole.headers["content-length"]) == made["bytes"] == len(whole.content)
    assert hashlib.sha256(whole.content).hexdigest() == made["sha256"]
    assert whole.headers["etag"] == f'"{made["sha256"]}"'
    assert made["id"] in whole.headers["content-disposition"]
    part = await backups_api.get(url, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole.content[10:20]


async def test_an_uploaded_archive_is_checked_before_it_is_listed(
    backups_api: Client, ended: Ended, data: Path, make_world: MakeWorld, tmp_path: Path
) -> None:
    """A good one is taken in, whatever it was called; a cut, spoilt or foreign one never is."""
    make_world(data / "Saves/default.vcdbs", 50)
    made = await _backup(backups_api, ended)
    content = (await backups_api.get(f"/backups/{made['id']}/download")).content
    good = await ended(backups_api, await backups_api.post("/backups/upload", content=content))
    assert good.state is OperationState.DONE, good.error
    middle = len(content) // 2
    for bad in (content[:middle], content[:middle] + b"??" + content[middle + 2 :], b"no"):
        refused = await ended(backups_api, await backups_api.post("/backups/upload", content=bad))
        assert refused.error is not None
        assert refused.error.status == 422
    assert (await backups_api.post("/backups/upload", content=b"")).status_code == 400
    kinds = [item["kind"] for item in (await backups_api.get("/backups")).json()]
    assert kinds == ["uploaded", "manual"]
    assert list((tmp_path / "data/manager/staging").iterdir()) == []


async def test_people_bring_their_own_world(
    backups_api: Client,
    ended: Ended,
    data: Path,
    tmp_path: Path,
    make_world: MakeWorld,
    chunks_in: ChunksIn,
) -> None:
    """A world as it is becomes a backup; its restore replaces the world, and nothing else."""
    make_world(tmp_path / "mine/own.vcdbs", 33)
    copy_stopped_world(tmp_path / "mine/own.vcdbs", tmp_path / "own.vcdbs", lambda _: None)
    content = (tmp_path / "own.vcdbs").read_bytes()
    operation = await ended(backups_api, await backups_api.post("/backups/upload", content=content))
    assert operation.state is OperationState.DONE, operation.error
    made = (await backups_api.get(f"/backups/{operation.result['backup']}")).json()
    assert (made["kind"], made["world"], made["game_version"]) == (
        "uploaded",
        "default.vcdbs",
        None,
    )
    assert list(made["contents"]) == ["Saves"]
    make_world(data / "Saves/default.vcdbs", 2)
    (data / "Mods/a.zip").write_bytes(b"x")
    (data / "serverconfig.json").write_text("{}")
    restored = await ended(backups_api, await backups_api.post(f"/backups/{made['id']}/restore"))
    assert restored.state is OperationState.DONE, restored.error
    assert chunks_in(data / "Saves/default.vcdbs") == 33
    assert (data / "Mods/a.zip").exists()
    assert (data / "serverconfig.json").read_text() == "{}"
    damaged = content[: len(content) // 2]
    refused = await ended(backups_api, await backups_api.post("/backups/upload", content=damaged))
    assert refused.error is not None
    assert refused.error.code == "world_damaged"


@pytest.mark.parametrize(("head", "kind"), [(b"PK\x03\x04", "zip"), (b"\x1f\x8b\x08", "gzip")])
async def test_archives_of_others_are_refused_in_a_sentence_that_helps(
    backups_api: Client, ended: Ended, head: bytes, kind: str
) -> None:
    """It says what the file is, and what to upload instead."""
    answer = await backups_api.post("/backups/upload", content=head + bytes(100))
    operation = await ended(backups_api, answer)
    assert operation.error is not None
    assert operation.error.code == "archive_refused"
    assert kind in str(operation.error.detail)
    assert ".vcdbs" in str(operation.error.detail)


async def test_an_upload_beyond_the_limit_is_refused(
    open_api: OpenAPI, problem_of: ProblemOf, tmp_path: Path
) -> None:
    """The declared limit holds, with and without Content-Length; nothing stays on the disk."""
    api = await open_api(backup_upload_bytes=1000)

    async def chunks() -> Any:
        for _ in range(20):
            yield bytes(100)

    problem_of(await api.post("/backups/upload", content=bytes(1001)), 413)
    problem_of(await api.post("/backups/upload", content=chunks()), 413)
    assert list((tmp_path / "data/manager/staging").iterdir()) == []


async def test_a_restore_brings_everything_back_and_can_be_undone(
    backups_api: Client,
    ended: Ended,
    data: Path,
    make_world: MakeWorld,
    chunks_in: ChunksIn,
) -> None:
    """World, mods and settings are as they were, stale logs are gone; the safety copy undoes it."""
    world = data / "Saves/default.vcdbs"
    make_world(world, 100)
    (data / "Mods/one.zip").write_text("one")
    made = await _backup(backups_api, ended)
    make_world(world, 250)
    (data / "Mods/one.zip").unlink()
    (data / "Mods/two.zip").write_text("two")
    (data / "ModConfig").mkdir()
    (data / "ModConfig/two.json").write_text("{}")
    operation = await ended(backups_api, await backups_api.post(f"/backups/{made['id']}/restore"))
    assert operation.state is OperationState.DONE, operation.error
    assert sorted(path.name for path in (data / "Saves").iterdir()) == ["default.vcdbs"]
    assert chunks_in(world) == 100
    assert [path.name for path in (data / "Mods").iterdir()] == ["one.zip"]
    assert not (data / "ModConfig").exists()
    undo = f"/backups/{operation.result['safety_copy']}/restore"
    assert (await ended(backups_api, await backups_api.post(undo))).state is OperationState.DONE
    assert chunks_in(world) == 250
    assert [path.name for path in (data / "Mods").iterdir()] == ["two.zip"]
    assert (data / "ModConfig/two.json").exists()


async def test_the_world_alone_can_be_restored(
    backups_api: Client, ended: Ended, data: Path, make_world: MakeWorld, chunks_in: ChunksIn
) -> None:
    """Mods and settings of today stay with scope `world`."""
    world = data / "Saves/default.vcdbs"
    make_world(world, 100)
    made = await _backup(backups_api, ended)
    make_world(world, 250)
    (data / "Mods/new.zip").write_text("new")
    answer = await backups_api.post(f"/backups/{made['id']}/restore", json={"scope": "world"})
    assert (await ended(backups_api, answer)).state is OperationState.DONE
    assert chunks_in(world) == 100
    assert (data / "Mods/new.zip").exists()


async def test_a_running_game_is_stopped_for_a_restore_only_when_told(
    backups_api: Client, ended: Ended, problem_of: ProblemOf
) -> None:
    """Without `stop` it is a 409; with it the game runs again afterwards, over the old world."""
    await _started(backups_api)
    made = await _backup(backups_api, ended)
    url = f"/backups/{made['id']}/restore"
    assert problem_of(await backups_api.post(url), 409)["code"] == "game_still_running"
    operation = await ended(backups_api, await backups_api.post(url, json={"stop": True}))
    assert operation.state is OperationState.DONE, operation.error
    assert (await backups_api.get("/server")).json()["state"] in {"starting", "running"}


async def test_an_archive_that_rotted_is_not_restored(
    backups_api: Client,
    ended: Ended,
    data: Path,
    tmp_path: Path,
    make_world: MakeWorld,
    chunks_in: ChunksIn,
) -> None:
    """All of an archive is checked before anything is replaced."""
    world = data / "Saves/default.vcdbs"
    make_world(world, 100)
    made = await _backup(backups_api, ended)
    archive = tmp_path / f"data/manager/backups/{made['id']}/backup.tar.zst"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    make_world(world, 250)
    operation = await ended(backups_api, await backups_api.post(f"/backups/{made['id']}/restore"))
    assert operation.error is not None
    assert operation.error.code == "archive_damaged"
    assert chunks_in(world) == 250


async def test_a_server_that_moved_in_is_backed_up_from_the_world_that_is_played(
    backups_api: Client,
    ended: Ended,
    data: Path,
    tmp_path: Path,
    make_world: MakeWorld,
    chunks_in: ChunksIn,
) -> None:
    """Its settings name its old place: nothing is backed up before a start has put them right.

    Afterwards the world that people play is the one in the archive, and the game reads the mods
    that the manager installs.
    """
    make_world(data / "Saves/mine.vcdbs", 7)
    old = tmp_path / "old place"
    config = {
        "WorldConfig": {"SaveFileLocation": str(old / "Saves/mine.vcdbs")},
        "ModPaths": ["Mods", str(old / "Mods")],
    }
    (data / "serverconfig.json").write_text(json.dumps(config))
    refused = await ended(backups_api, await backups_api.post("/backups"))
    assert refused.error is not None
    assert refused.error.code == "world_elsewhere"
    assert any(
        "Start the game" in hint for hint in (await backups_api.get("/settings")).json()["hints"]
    )
    assert (await backups_api.post("/server/start?wait=20")).json()["state"] == "running"
    assert (await backups_api.post("/server/stop?wait=20")).json()["state"] == "stopped"
    assert not old.exists()
    made = await _backup(backups_api, ended)
    _unpack(tmp_path / "data/manager/backups" / made["id"] / "backup.tar.zst", tmp_path / "out")
    assert chunks_in(tmp_path / "out/Saves/mine.vcdbs") > 7
    settings = json.loads((data / "serverconfig.json").read_text())
    assert settings["ModPaths"] == ["Mods", str(data / "Mods")]
    assert (await backups_api.get("/settings")).json()["hints"][1:] == []


async def test_a_world_that_was_played_at_its_old_place_refuses_the_start(
    backups_api: Client, data: Path, tmp_path: Path, make_world: MakeWorld, problem_of: ProblemOf
) -> None:
    """A start would leave behind what was played there: it says what to move instead."""
    make_world(tmp_path / "old/mine.vcdbs", 7)
    config = {"WorldConfig": {"SaveFileLocation": str(tmp_path / "old/mine.vcdbs")}}
    (data / "serverconfig.json").write_text(json.dumps(config))
    problem = problem_of(await backups_api.post("/server/start"), 409)
    assert problem["code"] == "world_elsewhere"
    assert "serverdata/Saves/mine.vcdbs" in problem["detail"]
    assert (await backups_api.get("/server")).json()["state"] == "stopped"


async def test_pinned_backups_are_never_deleted(
    backups_api: Client, ended: Ended, data: Path, make_world: MakeWorld, problem_of: ProblemOf
) -> None:
    """A pinned one is refused to be deleted; unpinned it goes, and is gone from the disk."""
    make_world(data / "Saves/default.vcdbs", 1)
    made = await _backup(backups_api, ended, pinned=True)
    url = f"/backups/{made['id']}"
    assert problem_of(await backups_api.delete(url), 409)["code"] == "backup_in_use"
    assert (await backups_api.patch(url, json={"pinned": False})).json()["pinned"] is False
    assert (await backups_api.delete(url)).status_code == 204
    problem_of(await backups_api.get(url), 404)


async def test_the_oldest_go_after_the_new_one_stands(
    open_api: OpenAPI, ended: Ended, data: Path, make_world: MakeWorld
) -> None:
    """With two kept and one pinned, four backups leave the pinned one and the newest two."""
    api = await open_api(keep_manual_backups=2)
    make_world(data / "Saves/default.vcdbs", 1)
    made = [(await _backup(api, ended, pinned=number == 0))["id"] for number in range(4)]
    left = [item["id"] for item in (await api.get("/backups")).json()]
    assert sorted(left) == sorted([made[0], made[2], made[3]])


async def test_backups_come_in_pages(
    backups_api: Client, ended: Ended, data: Path, make_world: MakeWorld
) -> None:
    """Links lead through the whole list, also when the last backup of a page is deleted."""
    make_world(data / "Saves/default.vcdbs", 1)
    made = [(await _backup(backups_api, ended))["id"] for _ in range(3)]
    first = await backups_api.get("/backups?limit=2")
    listed = [item["id"] for item in first.json()]
    await backups_api.delete(f"/backups/{listed[-1]}")
    second = await backups_api.get(first.links["next"]["url"])
    listed += [item["id"] for item in second.json()]
    assert sorted(listed) == sorted(made)
    assert "Link" not in second.headers


async def test_what_has_no_record_is_no_backup(
    backups_api: Client, tmp_path: Path, problem_of: ProblemOf
) -> None:
    """Half a folder, a stranger's file or a broken record don't break the list."""
    folder = tmp_path / "data/manager/backups"
    (folder / ABSENT).mkdir()
    (folder / "notes.txt").write_text("mine")
    broken = folder / "20260101-000000-manual-00000001"
    broken.mkdir()
    (broken / "backup.tar.zst").write_bytes(b"")
    (broken / "record.json").write_text("{")
    assert (await backups_api.get("/backups")).json() == []
    problem_of(await backups_api.get(f"/backups/{ABSENT}"), 404)


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fx", "x", "20260101-000000-manual-0000000g"])
async def test_an_id_is_never_a_path(name: str, backups_api: Client, problem_of: ProblemOf) -> None:
    """What isn't of an id's form is refused before any file is looked at."""
    answer = await backups_api.get(f"/backups/{name}/download")
    assert answer.status_code in {404, 422}
    assert (await backups_api.delete(f"/backups/{name}")).status_code in {404, 405, 422}


async def test_a_monitor_may_look_and_no_more(
    backups_api: Client, monitor: dict[str, str], problem_of: ProblemOf
) -> None:
    """The list is open to a monitor; making, downloading and uploading are not."""
    assert (await backups_api.get("/backups", headers=monitor)).status_code == 200
    problem_of(await backups_api.post("/backups", headers=monitor), 403)
    problem_of(await backups_api.post("/backups/upload", content=b"x", headers=monitor), 403)
    problem_of(await backups_api.get(f"/backups/{ABSENT}/download", headers=monitor), 403)


def _unpack(archive: Path, target: Path) -> None:
    with (
        archive.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        tar.extraction_filter = DATA_FILTER
        tar.extractall(target)
