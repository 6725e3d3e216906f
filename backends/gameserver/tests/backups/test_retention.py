"""Retention: which backups have had their time."""

from datetime import UTC, datetime, timedelta

from gameserver.backups.catalogue import surplus
from gameserver.backups.schemas import Backup, BackupKind

KEEP = dict.fromkeys(BackupKind, 2)


def _backup(number: int, kind: BackupKind = BackupKind.MANUAL, *, pinned: bool = False) -> Backup:
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return Backup(
        id=f"20260101-000000-{kind}-{number:08x}",
        kind=kind,
        created_at=created,
        by="test",
        world="default.vcdbs",
        bytes=1,
        sha256="",
        contents={},
        pinned=pinned,
    )


def test_the_oldest_beyond_the_number_go() -> None:
    """Of five, the newest two stay, whatever order they are given in."""
    backups = [_backup(number) for number in (3, 1, 5, 2, 4)]
    assert [item.created_at.hour for item in surplus(backups, KEEP)] == [1, 2, 3]


def test_kinds_do_not_displace_each_other() -> None:
    """Many scheduled ones never make a manual one go."""
    scheduled = [_backup(number, BackupKind.SCHEDULED) for number in range(2, 6)]
    gone = surplus([_backup(0), _backup(1), *scheduled], KEEP)
    assert {item.kind for item in gone} == {BackupKind.SCHEDULED}
    assert len(gone) == 2


def test_pinned_ones_neither_go_nor_count() -> None:
    """With two pinned, two more unpinned ones are kept; so a limit never blocks a schedule."""
    backups = [_backup(number, pinned=number < 2) for number in range(5)]
    assert [item.created_at.hour for item in surplus(backups, KEEP)] == [2]


def test_the_newest_stays_in_any_case() -> None:
    """A number of zero would delete the backup that was just made."""
    assert surplus([_backup(1)], dict.fromkeys(BackupKind, 0)) == []
