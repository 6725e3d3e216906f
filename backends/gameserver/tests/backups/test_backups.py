"""The record of a backup."""

from datetime import UTC, datetime
from pathlib import Path

from gameserver.backups.backups import Occasion, describe
from gameserver.backups.jobs import Outcome
from gameserver.backups.schemas import BackupKind, Manifest


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
    occasion = Occasion(BackupKind.UPLOADED, "test")
    record = await describe(Outcome(manifest=manifest), archive, occasion)
    assert len(record.skipped) == 100
    assert len(record.model_dump_json()) < 150_000
