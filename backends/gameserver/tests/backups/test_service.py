"""Backups as they are made, and their records."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gameserver.backups.jobs import Outcome
from gameserver.backups.schemas import BackupKind, Manifest
from gameserver.backups.service import BackupRequest, record_of
from gameserver.operations.schemas import OperationState


async def test_a_record_stays_small(tmp_path: Path) -> None:
    """Of a thousand names that were left out a hundred are kept: records are listed together."""
    manifest = Manifest(
        kind=BackupKind.MANUAL,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        world="default.vcdbs",
        members=[],
        skipped=["Mods/" + "x" * 5_000] * 1_000,
    )
    archive = tmp_path / "backup.tar.zst"
    archive.touch()
    request = BackupRequest(BackupKind.UPLOADED, "test")
    record = await record_of(Outcome(manifest=manifest), archive, request)
    assert len(record.skipped) == 100
    assert len(record.model_dump_json()) < 150_000


async def test_a_backup_waits_for_whoever_has_the_world(
    open_state: Callable[..., Awaitable[dict[str, Any]]],
    data: Path,
    make_world: Callable[[Path, int], None],
) -> None:
    """A restart or a restore that is under way is no reason to have no backup tonight."""
    state = await open_state()
    make_world(data / "Saves/default.vcdbs", 1)
    async with state["game"].exclusive("a restore"):
        begun = await state["backups"].backups.start(BackupRequest(BackupKind.SCHEDULED, "test"))
        await asyncio.sleep(0.1)
        assert begun.state is OperationState.RUNNING
    ended = await state["operations"].wait(begun.id)
    assert ended.state is OperationState.DONE, ended.error
