"""What a restore leaves alone: the backup that it reads, newer worlds, and a game that plays."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf
from gameserver.operations.schemas import Operation, OperationState

Ended = Callable[[Client, httpx2.Response], Awaitable[Operation]]
OpenAPI = Callable[..., Awaitable[Client]]
MakeWorld = Callable[[Path, int], None]

SOON = 20.0


async def backed_up(api: Client, ended: Ended) -> str:
    """Make a backup, and return its id."""
    operation = await ended(api, await api.post("/backups"))
    assert operation.state is OperationState.DONE, operation.error
    return str(operation.result["backup"])


async def server(api: Client) -> dict[str, Any]:
    """Return the game's status."""
    status: dict[str, Any] = (await api.get("/server")).json()
    return status


async def test_a_backup_is_not_deleted_while_it_is_restored(
    open_api: OpenAPI, ended: Ended, problem_of: ProblemOf
) -> None:
    """Its deletion is refused until the restore has ended; afterwards it works."""
    api = await open_api(simulate={"hang_at_stop": 1, "ignore_sigterm": 1}, stop_seconds=3600)
    assert (await api.post("/server/start?wait=20")).json()["state"] == "running"
    backup = await backed_up(api, ended)
    restore = await api.post(f"/backups/{backup}/restore", json={"stop": True, "start": False})
    async with asyncio.timeout(SOON):
        while (await server(api))["state"] != "stopping":  # noqa: ASYNC110 - clients poll
            await asyncio.sleep(0.02)
    refused = await api.delete(f"/backups/{backup}")
    await api.post("/server/kill")  # whatever the answer is, so that the test ends
    problem = problem_of(refused, 409)
    assert problem["code"] == "backup_in_use"
    assert problem["detail"] == "This backup is being restored."
    assert (await ended(api, restore)).state is OperationState.DONE
    assert (await api.delete(f"/backups/{backup}")).status_code == 204


async def test_a_restore_does_not_push_out_its_own_backup(
    open_api: OpenAPI, ended: Ended, data: Path, make_world: MakeWorld
) -> None:
    """With one safety copy to keep, its restore makes another, and yet ends with both."""
    api = await open_api(keep_before_restore_backups=1)
    make_world(data / "Saves/default.vcdbs", 5)
    made = await backed_up(api, ended)
    first = await ended(api, await api.post(f"/backups/{made}/restore"))
    safety = first.result["safety_copy"]
    second = await ended(api, await api.post(f"/backups/{safety}/restore"))
    assert second.state is OperationState.DONE, second.error
    assert (await api.get(f"/backups/{safety}")).status_code == 200


async def test_a_damaged_backup_does_not_stop_the_game(
    backups_api: Client, ended: Ended, tmp_path: Path
) -> None:
    """The archive is checked before anybody who plays is sent away: the same process runs on."""
    assert (await backups_api.post("/server/start?wait=20")).json()["state"] == "running"
    backup = await backed_up(backups_api, ended)
    archive = tmp_path / f"data/manager/backups/{backup}/backup.tar.zst"
    archive.write_bytes(archive.read_bytes()[:-100])
    before = await server(backups_api)
    operation = await ended(
        backups_api, await backups_api.post(f"/backups/{backup}/restore", json={"stop": True})
    )
    assert operation.error is not None
    assert operation.error.code == "archive_damaged"
    after = await server(backups_api)
    assert (after["state"], after["pid"]) == ("running", before["pid"])
