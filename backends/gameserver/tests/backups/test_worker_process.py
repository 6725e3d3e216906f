"""Heavy work in a process of its own: it does the same, fails the same, and never stays behind."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from gameserver.archives.exceptions import ArchiveError
from gameserver.backups.exceptions import DamagedWorld
from gameserver.backups.jobs import CopyWorld, Pack, Unpack
from gameserver.backups.schemas import BackupKind
from gameserver.backups.worker_process import MIN_PROCESS_BYTES, perform

MakeWorld = Callable[[Path, int], None]


def _children() -> list[psutil.Process]:
    """Return the processes of jobs; the test run has other children, too."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and "gameserver.backups.worker_process" in child.cmdline()
    ]


async def _begun() -> psutil.Process:
    """Return the process of a job, as soon as there is one."""
    while True:
        if found := _children():
            return found[0]
        await asyncio.sleep(0.005)


def _nothing(_: int) -> None:
    return


@pytest.fixture
def pack(tmp_path: Path, make_world: MakeWorld) -> Pack:
    """Give what a small backup is made of."""
    make_world(tmp_path / "data/Saves/default.vcdbs", 2000)
    return Pack(
        archive=tmp_path / "archive",
        world_copy=tmp_path / "copy",
        server_data=tmp_path / "data",
        kind=BackupKind.MANUAL,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        game_version="1.21.6",
        world="default.vcdbs",
    )


async def test_a_backup_made_apart_is_unpacked_apart(tmp_path: Path, pack: Pack) -> None:
    """Copied, packed and unpacked by other processes: the manifest is the same, all is counted."""
    progress: list[int] = []
    world = tmp_path / "data/Saves/default.vcdbs"
    await perform(
        CopyWorld(world=world, target=tmp_path / "copy"), MIN_PROCESS_BYTES, progress.append
    )
    made = await perform(pack, MIN_PROCESS_BYTES, progress.append)
    out = tmp_path / "out"
    job = Unpack(archive=pack.archive, target=out, max_bytes=1 << 30)
    assert await perform(job, MIN_PROCESS_BYTES, progress.append) == made
    assert (out / "Saves/default.vcdbs").read_bytes() == (tmp_path / "copy").read_bytes()
    assert all(count >= 0 for count in progress)
    assert _children() == []


async def test_errors_come_back_as_what_they_are(tmp_path: Path) -> None:
    """What is wrong with a world or an archive is the same error as in this process."""
    (tmp_path / "bad").write_bytes(b"not a database" * 1000)
    job = CopyWorld(world=tmp_path / "bad", target=tmp_path / "copy")
    with pytest.raises(DamagedWorld):
        await perform(job, MIN_PROCESS_BYTES, _nothing)
    archive = Unpack(archive=tmp_path / "bad", target=tmp_path / "out", max_bytes=1)
    with pytest.raises(ArchiveError) as error:
        await perform(archive, MIN_PROCESS_BYTES, _nothing)
    assert error.value.code == "archive_damaged"
    missing = Unpack(archive=tmp_path / "no", target=tmp_path / "out2", max_bytes=1)
    with pytest.raises(OSError, match="No such file"):
        await perform(missing, MIN_PROCESS_BYTES, _nothing)


async def test_a_cancelled_job_leaves_no_process(tmp_path: Path, pack: Pack) -> None:
    """Who cancels the work, or ends it by raising, has no process left."""
    world = tmp_path / "data/Saves/default.vcdbs"
    job = CopyWorld(world=world, target=tmp_path / "copy")
    task = asyncio.create_task(perform(job, MIN_PROCESS_BYTES, _nothing))
    await _begun()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _children() == []


async def test_a_job_whose_process_dies_fails(tmp_path: Path, pack: Pack) -> None:
    """A process that the system kills is an error, not a wait without end."""
    world = tmp_path / "data/Saves/default.vcdbs"
    job = CopyWorld(world=world, target=tmp_path / "copy")
    task = asyncio.create_task(perform(job, MIN_PROCESS_BYTES, _nothing))
    (await _begun()).kill()
    with pytest.raises(Exception, match="has died"):
        await task
