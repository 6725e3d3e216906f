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
    remote = S3Store(settings) if settings.backup_store == "s3" else None
    copies = OffHostCopies(local, remote, operations)
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
