"""Versions over HTTP: installed, switched, rolled back, deleted; with games that really run."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf
from gameserver.operations.schemas import Operation, OperationState
from gameserver_simulator.stand_ins.version_feed import VersionFeed

Ended = Callable[[Client, httpx2.Response], Awaitable[Operation]]
OpenAPI = Callable[..., Awaitable[Client]]


async def _install(api: Client, ended: Ended, version: str) -> None:
    operation = await ended(api, await api.post(f"/versions/{version}/install"))
    assert operation.state is OperationState.DONE, operation.error


async def _started(api: Client) -> None:
    answer = await api.post("/server/start", params={"wait": 20})
    assert answer.json()["state"] == "running", answer.text


async def _running_version(api: Client) -> str:
    while True:
        server = (await api.get("/server")).json()
        if server["state"] == "running":
            version: str = server["version"]
            return version
        assert server["state"] in {"starting", "stopped"}, server
        await asyncio.sleep(0.02)  # polling is what clients do, and 1,200 a minute are allowed


async def test_the_list_tells_what_is_offered_and_installed(
    versions_api: Client, ended: Ended
) -> None:
    """Newest first, with channel, runtime and what is current; the first install is current."""
    await _install(versions_api, ended, "1.21.5")
    listed = (await versions_api.get("/versions")).json()
    by_version = {version["version"]: version for version in listed["versions"]}
    assert list(by_version)[:3] == ["1.22.0-pre.1", "1.21.7-rc.1", "1.21.6"]
    assert by_version["1.21.5"]["current"]
    assert by_version["1.21.6"]["latest"]
    assert by_version["1.22.0-pre.1"]["channel"] == "unstable"
    assert by_version["1.22.0-pre.1"]["runtime"] == ".NET 10"
    assert "1.20.11" not in by_version  # has no server for Linux
    assert listed["stale"] is False


async def test_off_line_the_installed_versions_are_still_there(
    versions_api: Client, ended: Ended, feed: VersionFeed
) -> None:
    """Without a feed the list comes from the cache, says so, and nothing new can be installed."""
    await _install(versions_api, ended, "1.21.5")
    feed.fault_modes.status = 500
    listed = (await versions_api.get("/versions", params={"refresh": "true"})).json()
    assert listed["stale"] is True
    assert listed["current"] == "1.21.5"
    failed = await ended(versions_api, await versions_api.post("/versions/1.21.6/install"))
    assert failed.error is not None
    assert failed.error.code == "download_failed"


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("1.20.12", "digest_mismatch"),
        ("1.21.0", "archive_damaged"),
        ("1.19.0", "archive_unsafe"),
        ("1.19.1", "archive_unsafe"),
        ("1.19.2", "archive_unsafe"),
        ("1.19.3", "archive_unsafe"),
        ("1.19.4", "archive_unsafe"),
        ("1.19.5", "archive_not_a_game_server"),
        ("1.19.6", "archive_damaged"),
    ],
)
async def test_a_bad_archive_leaves_nothing_behind(
    version: str, code: str, versions_api: Client, ended: Ended, tmp_path: Path
) -> None:
    """Wrong digest, cut, hostile or ambiguous: not installed, nothing staged, nothing outside."""
    operation = await ended(versions_api, await versions_api.post(f"/versions/{version}/install"))
    assert operation.error is not None
    assert operation.error.code == code
    assert list((tmp_path / "data/server").iterdir()) == []
    assert list((tmp_path / "data/manager/staging").iterdir()) == []
    assert not any("evil" in file for _, _, files in os.walk(tmp_path) for file in files)


async def test_an_archive_with_numeric_prefixes_is_installed(
    versions_api: Client, ended: Ended, tmp_path: Path
) -> None:
    """Tarballs with a misused USTAR prefix end up where they belong, and run."""
    await _install(versions_api, ended, "1.21.1")
    assert (tmp_path / "data/server/1.21.1/assets/version-1.21.1.txt").is_file()
    await _started(versions_api)


async def test_an_upgrade_keeps_the_old_version_and_a_backup(
    versions_api: Client, ended: Ended, tmp_path: Path, problem_of: ProblemOf
) -> None:
    """The game stops, is backed up, and runs again as the new version; back is refused by then."""
    await _install(versions_api, ended, "1.21.5")
    await _started(versions_api)
    operation = await ended(versions_api, await versions_api.post("/versions/1.21.6/switch"))
    assert operation.state is OperationState.DONE, operation.error
    assert await _running_version(versions_api) == "1.21.6"
    backup = (await versions_api.get(f"/backups/{operation.result['backup']}")).json()
    assert (backup["kind"], backup["game_version"]) == ("before-update", "1.21.5")
    for version in ("1.21.5", "1.21.6"):
        assets = tmp_path / f"data/server/{version}/assets"
        assert [path.name for path in assets.glob("version-*.txt")] == [f"version-{version}.txt"]
    refused = problem_of(await versions_api.post("/versions/1.21.5/switch"), 409)
    assert refused["code"] == "downgrade_refused"
    assert refused["world_version"] == "1.21.6"


async def test_a_downgrade_can_be_forced_or_made_safe_by_a_restore(
    versions_api: Client, ended: Ended
) -> None:
    """`force` takes the risk; restoring the backup from before takes the reason away."""
    await _install(versions_api, ended, "1.21.5")
    await _started(versions_api)
    switched = await ended(versions_api, await versions_api.post("/versions/1.21.6/switch"))
    url = "/versions/1.21.5/switch"
    forced = await ended(versions_api, await versions_api.post(url, json={"force": True}))
    assert forced.state is OperationState.DONE, forced.error
    assert await _running_version(versions_api) == "1.21.5"
    assert (await versions_api.get("/versions")).json()["world_version"] == "1.21.6"
    restore = f"/backups/{switched.result['backup']}/restore"
    await ended(versions_api, await versions_api.post(restore, json={"stop": True}))
    assert (await versions_api.get("/versions")).json()["world_version"] == "1.21.5"


@pytest.mark.parametrize("running", [True, False])
async def test_a_restore_brings_its_version_back(
    versions_api: Client, ended: Ended, running: bool
) -> None:
    """The way back from an update is one request, whether the game runs or not.

    The newer version never sees the older world: neither before the restore nor after it.
    """
    await _install(versions_api, ended, "1.21.5")
    await _started(versions_api)
    switched = await ended(versions_api, await versions_api.post("/versions/1.21.6/switch"))
    if not running:
        await versions_api.post("/server/stop?wait=20")
    restore = f"/backups/{switched.result['backup']}/restore"
    body = {"stop": True, "with_version": True}
    operation = await ended(versions_api, await versions_api.post(restore, json=body))
    assert operation.state is OperationState.DONE, operation.error
    listed = (await versions_api.get("/versions")).json()
    assert (listed["current"], listed["world_version"]) == ("1.21.5", "1.21.5")
    if running:
        assert await _running_version(versions_api) == "1.21.5"
    again = f"/backups/{operation.result['safety_copy']}/restore"
    operation = await ended(versions_api, await versions_api.post(again, json=body))
    listed = (await versions_api.get("/versions")).json()
    assert (listed["current"], listed["world_version"]) == ("1.21.6", "1.21.6")


async def test_a_restore_can_leave_the_game_down(
    versions_api: Client, ended: Ended, problem_of: ProblemOf
) -> None:
    """With `start` false nothing runs the restored world, until its version is current."""
    await _install(versions_api, ended, "1.21.5")
    await _started(versions_api)
    switched = await ended(versions_api, await versions_api.post("/versions/1.21.6/switch"))
    restore = f"/backups/{switched.result['backup']}/restore"
    body = {"stop": True, "start": False}
    operation = await ended(versions_api, await versions_api.post(restore, json=body))
    assert operation.state is OperationState.DONE, operation.error
    assert (await versions_api.get("/server")).json()["state"] == "stopped"
    assert (await versions_api.get("/versions")).json()["world_version"] == "1.21.5"
    back = await ended(versions_api, await versions_api.post("/versions/1.21.5/switch"))
    assert back.state is OperationState.DONE, back.error
    assert (await versions_api.delete("/versions/1.21.6")).status_code == 204
    body = {"with_version": True}
    made = await ended(versions_api, await versions_api.post("/backups"))
    await ended(versions_api, await versions_api.post("/versions/1.21.6/switch"))
    assert (await versions_api.delete("/versions/1.21.5")).status_code == 204
    restore = f"/backups/{made.result['backup']}/restore"
    problem = problem_of(await versions_api.post(restore, json=body), 409)
    assert problem["code"] == "backup_version_not_installed"


async def test_a_backup_of_a_newer_version_is_not_restored_unasked(
    versions_api: Client, ended: Ended, problem_of: ProblemOf
) -> None:
    """The same rule holds the other way round: an old game gets a new world by `force` alone."""
    await _install(versions_api, ended, "1.21.6")
    await _started(versions_api)
    made = await ended(versions_api, await versions_api.post("/backups"))
    assert made.state is OperationState.DONE, made.error
    await ended(
        versions_api, await versions_api.post("/versions/1.21.5/switch", json={"force": True})
    )
    url = f"/backups/{made.result['backup']}/restore"
    refused = problem_of(await versions_api.post(url, json={"stop": True}), 409)
    assert refused["code"] == "world_from_newer_version"
    body = {"stop": True, "force": True}
    forced = await ended(versions_api, await versions_api.post(url, json=body))
    assert forced.state is OperationState.DONE, forced.error


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("1.21.7-rc.1", "The game ended itself: Caught unhandled exception."),
        ("1.22.0-pre.1", "It was not ready after 2 seconds."),
    ],
    ids=["crashes", "hangs"],
)
async def test_a_version_that_does_not_get_ready_is_rolled_back(
    version: str, reason: str, open_api: OpenAPI, ended: Ended
) -> None:
    """Version and world are those from before, the game runs again, and the error says why."""
    api = await open_api(version_ready_seconds=2)
    await _install(api, ended, "1.21.6")
    await _started(api)
    operation = await ended(api, await api.post(f"/versions/{version}/switch"))
    assert operation.error is not None
    assert operation.error.code == "version_rolled_back"
    text = f"Version {version} did not become ready, so the previous one runs again. {reason}"
    assert str(operation.error.detail).startswith(text)
    assert await _running_version(api) == "1.21.6"
    listed = (await api.get("/versions")).json()
    assert (listed["current"], listed["world_version"]) == ("1.21.6", "1.21.6")


async def test_without_a_backup_a_failed_version_leaves_the_game_stopped(
    open_api: OpenAPI, ended: Ended
) -> None:
    """The old version must not run over a world that the new one may have changed."""
    api = await open_api(version_ready_seconds=2)
    await _install(api, ended, "1.21.6")
    await _started(api)
    answer = await api.post("/versions/1.22.0-pre.1/switch", json={"backup": False})
    operation = await ended(api, answer)
    assert operation.error is not None
    assert "nothing runs" in str(operation.error.detail)
    assert (await api.get("/server")).json()["state"] == "stopped"


async def test_the_current_version_can_not_be_deleted(
    versions_api: Client, ended: Ended, problem_of: ProblemOf, tmp_path: Path
) -> None:
    """Another one can, and its folder is gone."""
    await _install(versions_api, ended, "1.21.5")
    await _install(versions_api, ended, "1.21.6")
    refused = problem_of(await versions_api.delete("/versions/1.21.5"), 409)
    assert refused["code"] == "version_in_use"
    assert (await versions_api.delete("/versions/1.21.6")).status_code == 204
    assert [path.name for path in (tmp_path / "data/server").iterdir()] == ["1.21.5"]
    problem_of(await versions_api.delete("/versions/1.21.6"), 404)


async def test_what_is_installed_or_not_offered_is_refused_at_once(
    versions_api: Client, ended: Ended, problem_of: ProblemOf, monitor: dict[str, str]
) -> None:
    """Installed: 409, with what makes it current; unknown: 404; no version: 422; a monitor: 403."""
    await _install(versions_api, ended, "1.21.5")
    installed = problem_of(await versions_api.post("/versions/1.21.5/install"), 409)
    assert "a switch to it makes it the current one" in installed["detail"]
    problem_of(await versions_api.post("/versions/1.21.5/switch"), 409)
    problem_of(await versions_api.post("/versions/9.9.9/install"), 404)
    problem_of(await versions_api.post("/versions/1.20.11/install"), 404)
    problem_of(await versions_api.post("/versions/latest/install"), 422)
    problem_of(await versions_api.post("/versions/1.21.6/install", headers=monitor), 403)
