import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from bedplate.documents import FileTransactions
from bedplate.documents.threads import finish_in_thread
from bedplate.state import from_state
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.live_copy import LiveCopy
from gameserver.backups.off_host import OffHostCopies
from gameserver.backups.restores import Restores
from gameserver.backups.s3 import S3Store
from gameserver.backups.schemas import BackupKind
from gameserver.backups.service import Backups
from gameserver.backups.stores import LocalStore
from gameserver.backups.uploads import Uploads
from gameserver.events import Events
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.operations.service import Operations
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings


@dataclass(frozen=True)
class BackupServices:
    """What makes, lists, restores and takes in backups."""

    backups: Backups
    catalogue: Catalogue
    restores: Restores
    uploads: Uploads


CurrentBackups = Annotated[BackupServices, from_state(BackupServices)]


@contextlib.asynccontextmanager
async def open_backups(
    settings: GameServerSettings,
    layout: Layout,
    game: Game,
    installed: InstalledVersions,
    events: Events,
    operations: Operations,
    file_transactions: FileTransactions,
) -> AsyncIterator[BackupServices]:
    """Yield the services. What an earlier manager left is removed; its off-host copies go on.

    Half-made restores were finished or undone before, by `gameserver.wiring`.
    """
    local = LocalStore(layout.backups)
    copies = OffHostCopies(local, _remote_store(settings), operations)
    keep = {
        BackupKind.MANUAL: settings.keep_manual_backups,
        BackupKind.SCHEDULED: settings.keep_scheduled_backups,
        BackupKind.BEFORE_UPDATE: settings.keep_before_update_backups,
        BackupKind.BEFORE_RESTORE: settings.keep_before_restore_backups,
        BackupKind.UPLOADED: settings.keep_uploaded_backups,
    }
    catalogue = Catalogue(local, copies, events, keep)
    live_copy = LiveCopy(game, layout, settings)
    backups = Backups(layout, game, live_copy, catalogue, installed, operations, events)
    uploads = Uploads(layout, catalogue, operations, settings)
    restores = Restores(
        layout, game, backups, catalogue, file_transactions, installed, operations, events
    )
    await finish_in_thread(live_copy.tidy)
    await catalogue.open()
    yield BackupServices(backups, catalogue, restores, uploads)


def _remote_store(settings: GameServerSettings) -> S3Store | None:
    if settings.backup_store == "local":
        return None
    return S3Store(
        bucket=settings.backup_s3_bucket,
        prefix=settings.backup_s3_prefix,
        region=settings.backup_s3_region,
        endpoint=settings.backup_s3_endpoint,
        access_key=settings.backup_s3_access_key,
        secret_key=settings.backup_s3_secret_key,
    )
