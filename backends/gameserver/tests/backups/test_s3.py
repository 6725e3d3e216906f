"""Off-host copies in a real S3 over HTTP (moto's server), and without it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it has no stubs
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from bedplate.settings import SettingsError
from bedplate.testing.client import Client
from bedplate.testing.processes import free_port
from gameserver.backups import off_host
from gameserver.backups.exceptions import BackupNotFound, OffHostStoreUnavailable
from gameserver.backups.s3 import S3Store
from gameserver.operations.schemas import Operation, OperationState
from gameserver.settings import GameServerSettings

Ended = Callable[[Client, httpx2.Response], Awaitable[Operation]]
OpenAPI = Callable[..., Awaitable[Client]]
MakeWorld = Callable[[Path, int], None]
BUCKET = "copies"
KEYS = {"aws_access_key_id": "access", "aws_secret_access_key": "secret-of-the-test"}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """Give the URL of an S3 server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_url: str) -> Iterator[Any]:
    """Give an empty bucket, as another program sees it."""
    service = boto3.resource("s3", endpoint_url=s3_url, region_name="us-east-1", **KEYS)
    made = service.create_bucket(Bucket=BUCKET)
    yield made
    made.objects.all().delete()
    made.delete()
    service.meta.client.close()


def _settings(url: str) -> dict[str, Any]:
    return {
        "backup_store": "s3",
        "backup_s3_bucket": BUCKET,
        "backup_s3_endpoint": url,
        "backup_s3_access_key": KEYS["aws_access_key_id"],
        "backup_s3_secret_key": KEYS["aws_secret_access_key"],
    }


async def _copied(api: Client) -> dict[str, Any]:
    """Return the newest copy's operation, once it has ended."""
    while True:
        found = (await api.get("/operations", params={"kind": "copy"})).json()
        if found and found[0]["state"] != "running":
            newest: dict[str, Any] = found[0]
            return newest
        await asyncio.sleep(0.02)


async def test_a_copy_outlives_the_local_backup(
    open_api: OpenAPI,
    ended: Ended,
    bucket: Any,
    s3_url: str,
    tmp_path: Path,
    make_world: MakeWorld,
    chunks_in: Callable[[Path], int],
) -> None:
    """A backup is copied, is listed when the local one is lost, and can be got and restored."""
    api = await open_api(**_settings(s3_url))
    world = tmp_path / "data/serverdata/Saves/default.vcdbs"
    make_world(world, 100)
    made = await ended(api, await api.post("/backups"))
    backup_id = made.result["backup"]
    assert (await _copied(api))["state"] == "done"
    assert (await api.get(f"/backups/{backup_id}")).json()["off_host"] == "done"
    keys = sorted(item.key for item in bucket.objects.all())
    assert keys == [
        f"vintage-story/{backup_id}/{name}" for name in ("backup.tar.zst", "record.json")
    ]
    local = tmp_path / f"data/manager/backups/{backup_id}"
    content = (local / "backup.tar.zst").read_bytes()
    local.rename(tmp_path / "lost")
    make_world(world, 7)
    listed = (await api.get("/backups")).json()
    assert [(entry["id"], entry["local"]) for entry in listed] == [(backup_id, False)]
    download = await api.get(f"/backups/{backup_id}/download")
    assert download.content == content
    assert int(download.headers["content-length"]) == len(content)
    restored = await ended(api, await api.post(f"/backups/{backup_id}/restore"))
    assert restored.state is OperationState.DONE, restored.error
    assert chunks_in(world) == 100


async def test_deleting_a_backup_deletes_its_copy(
    open_api: OpenAPI,
    ended: Ended,
    bucket: Any,
    s3_url: str,
    tmp_path: Path,
    make_world: MakeWorld,
) -> None:
    """Nothing of a deleted backup stays in the bucket."""
    api = await open_api(**_settings(s3_url))
    make_world(tmp_path / "data/serverdata/Saves/default.vcdbs", 1)
    made = await ended(api, await api.post("/backups"))
    await _copied(api)
    assert (await api.delete(f"/backups/{made.result['backup']}")).status_code == 204
    assert list(bucket.objects.all()) == []


async def test_a_store_that_is_away_costs_no_backup(
    open_api: OpenAPI,
    ended: Ended,
    tmp_path: Path,
    make_world: MakeWorld,
) -> None:
    """The local backup stands and is listed; only its copy has failed, and keys are not shown."""
    api = await open_api(**_settings(f"http://127.0.0.1:{free_port()}"))
    make_world(tmp_path / "data/serverdata/Saves/default.vcdbs", 1)
    made = await ended(api, await api.post("/backups"))
    assert made.state is OperationState.DONE
    copy = await _copied(api)
    assert copy["error"]["code"] == "off_host_store_unavailable"
    assert "secret" not in str(copy)
    listed = (await api.get("/backups")).json()
    assert [item["off_host"] for item in listed] == ["failed"]


async def test_a_store_that_is_too_slow_is_named_in_the_log(
    open_api: OpenAPI, monkeypatch: pytest.MonkeyPatch, captured_logs: list[dict[str, Any]]
) -> None:
    """Local backups are listed all the same, and the log has a reason: a timeout has no text."""
    monkeypatch.setattr(off_host, "_LIST_TIMEOUT_SECONDS", 0)
    api = await open_api(**_settings(f"http://127.0.0.1:{free_port()}"))
    assert (await api.get("/backups")).status_code == 200
    reasons = [e["reason"] for e in captured_logs if e["event"] == "off_host_store_unavailable"]
    assert reasons
    assert set(reasons) == {"TimeoutError"}


async def test_a_store_that_is_away_does_not_fill_the_disk(
    open_api: OpenAPI, ended: Ended, tmp_path: Path, make_world: MakeWorld
) -> None:
    """Old local backups are pruned although their copies can't be deleted."""
    url = f"http://127.0.0.1:{free_port()}"
    api = await open_api(**_settings(url), keep_manual_backups=1)
    make_world(tmp_path / "data/serverdata/Saves/default.vcdbs", 1)
    for _ in range(2):
        made = await ended(api, await api.post("/backups"))
        assert made.state is OperationState.DONE
        await _copied(api)
    folder = tmp_path / "data/manager/backups"
    assert [path.name for path in folder.iterdir()] == [made.result["backup"]]


async def test_a_large_archive_goes_up_in_parts_and_comes_down_alike(
    bucket: Any, s3_url: str, tmp_path: Path, backup_record: Any
) -> None:
    """20 MB are uploaded as a multi-part object, and read in ranges."""
    content = bytes(range(256)) * 80_000
    (tmp_path / "backup.tar.zst").write_bytes(content)
    store = _store(s3_url)
    progress: list[int] = []
    await store.put(backup_record, tmp_path, progress.append)
    assert sum(progress) == len(content)
    entry = bucket.Object(f"p/{backup_record.id}/backup.tar.zst")
    assert entry.e_tag.strip('"').endswith("-3")
    assert b"".join([part async for part in store.read(backup_record.id)]) == content
    await store.delete(backup_record.id)
    with pytest.raises(BackupNotFound):
        await store.get(backup_record.id)


async def test_a_half_copy_is_no_backup(bucket: Any, s3_url: str, backup_record: Any) -> None:
    """Without a record, or with a broken one, nothing is listed."""
    bucket.put_object(Key=f"p/{backup_record.id}/backup.tar.zst", Body=b"half")
    bucket.put_object(Key="p/20260101-000000-manual-00000001/record.json", Body=b"{")
    bucket.put_object(Key="p/strangers.txt", Body=b"")
    assert await _store(s3_url).list() == []


async def test_a_bucket_that_is_not_there_is_said_to_be_unavailable(
    s3_url: str, backup_record: Any
) -> None:
    """A wrong bucket is our error, not the library's."""
    store = _store(s3_url, backup_s3_bucket="missing")
    with pytest.raises((OffHostStoreUnavailable, BackupNotFound)):
        await store.update(backup_record)


def test_s3_without_a_bucket_is_refused() -> None:
    """A store of copies that can't work is refused at start, naming the variable."""
    with pytest.raises(SettingsError, match="VS_BACKUP_S3_BUCKET"):
        GameServerSettings.load(_env_file=None, backup_store="s3")


def _store(url: str, **changes: Any) -> S3Store:
    settings = {**_settings(url), "backup_s3_prefix": "p", **changes}
    return S3Store(GameServerSettings.load(_env_file=None, **settings))
