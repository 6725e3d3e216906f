"""Which backups have had their time."""

from collections.abc import Iterable, Mapping

from gameserver.backups.schemas import Backup, BackupKind


def superfluous(backups: Iterable[Backup], keep: Mapping[BackupKind, int]) -> list[Backup]:
    """Return what is beyond the number that is kept of each kind, the oldest first.

    Pinned ones neither count nor go. Of each kind at least the newest stays.
    """
    surplus: list[Backup] = []
    unpinned = [one for one in backups if not one.pinned]
    for kind in BackupKind:
        of_kind = sorted(
            (one for one in unpinned if one.kind is kind), key=lambda one: (one.created_at, one.id)
        )
        surplus += of_kind[: -max(1, keep[kind])]
    return surplus
