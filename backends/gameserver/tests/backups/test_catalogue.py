"""The backups that stand, on a disk that takes no more."""

from pathlib import Path

from bedplate.documents import Document
from bedplate.jobs.background import Jobs
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.off_host import OffHostCopies
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.stores import ARCHIVE, LocalStore
from gameserver.events import Events
from gameserver.operations.schemas import OperationLog
from gameserver.operations.service import Operations


async def test_a_backup_that_stands_is_on_the_disk(
    tmp_path: Path, backup_record: Backup, recorded_disk: list[tuple[str, ...]]
) -> None:
    """Its record is synced before it gets its name, and its folder's name after that."""
    here, staged = tmp_path / "here", tmp_path / "staged"
    for folder in (here, staged):
        folder.mkdir()
    (staged / ARCHIVE).touch()
    await LocalStore(here).put(backup_record, staged, lambda _: None)
    named = recorded_disk.index(("rename", str(staged), str(here / backup_record.id)))
    assert ("sync", str(staged)) in recorded_disk[:named]
    assert recorded_disk[named + 1 :] == [("sync", str(here))]


async def test_a_copy_that_cannot_be_begun(tmp_path: Path, backup_record: Backup) -> None:
    """A backup stands when its off-host copy can't be written down; the copy can come later."""
    here, elsewhere, staged = (tmp_path / name for name in ("here", "elsewhere", "staged"))
    for folder in (here, elsewhere, staged, tmp_path / "operations.json"):
        folder.mkdir()
    (staged / ARCHIVE).touch()
    log = Document(tmp_path / "operations.json", OperationLog, default=OperationLog)
    async with Jobs() as jobs:
        local = LocalStore(here)
        copies = OffHostCopies(local, LocalStore(elsewhere), Operations(log, jobs))
        catalogue = Catalogue(local, copies, Events(), dict.fromkeys(BackupKind, 1))
        await catalogue.add(backup_record, staged)
        assert [item.id for item in await catalogue.list()] == [backup_record.id]
