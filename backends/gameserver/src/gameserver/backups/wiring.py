import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from bedplate.documents import FileTransactions
from bedplate.state import from_state
from gameserver.backups.backups import Backups
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.copies import Copies
from gameserver.backups.live_copy import LiveCopy, LiveCopyTimes
from gameserver.backups.restores import Restores
from gameserver.backups.schemas import BackupKind
from gameserver.backups.stores import LocalStore, Store
from gameserver.backups.uploads import Uploads
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.operations.service import Operations
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.versions.installation import Installed


@dataclass(frozen=True)
class BackupParts:
    """What makes backups, what keeps them, and the two ways of a backup back in."""

    making: Backups
    catalogue: Catalogue
    restores: Restores
    uploads: Uploads


CurrentBackups = Annotated[BackupParts, from_state(BackupParts)]


@contextlib.asynccontextmanager
async def open_backups(
    settings: GameServerSettings,
    layout: Layout,
    game: Game,
    installed: Installed,
    events: Events,
    operations: Operations,
    file_transactions: FileTransactions,
) -> AsyncIterator[BackupParts]:
    """Yield the parts; copies that an earlier manager did not finish go on."""
    local = LocalStore(layout.backups)
    catalogue = Catalogue(
        local, Copies(local, _off_host(settings), operations), events, _kept(settings)
    )
    live_copy = LiveCopy(game, layout, _times(settings))
    making = Backups(layout, game, live_copy, catalogue, installed, operations, events)
    uploads = Uploads(
        layout,
        catalogue,
        operations,
        most_bytes=settings.backup_upload_bytes,
        most_unpacked=settings.backup_unpacked_bytes,
    )
    restores = Restores(layout, game, making, file_transactions, installed, operations, events)
    await making.tidy()
    await catalogue.copies.resume()
    yield BackupParts(making, catalogue, restores, uploads)


def _kept(settings: GameServerSettings) -> dict[BackupKind, int]:
    return {
        BackupKind.MANUAL: settings.keep_manual_backups,
        BackupKind.SCHEDULED: settings.keep_scheduled_backups,
        BackupKind.BEFORE_UPDATE: settings.keep_before_update_backups,
        BackupKind.BEFORE_RESTORE: settings.keep_before_restore_backups,
        BackupKind.UPLOADED: settings.keep_uploaded_backups,
    }


def _times(settings: GameServerSettings) -> LiveCopyTimes:
    return LiveCopyTimes(
        save=settings.backup_save_seconds,
        start=settings.backup_start_seconds,
        settle=settings.backup_settle_seconds,
        stall=settings.backup_stall_seconds,
        total=settings.backup_seconds,
    )


def _off_host(settings: GameServerSettings) -> Store | None:
    if settings.backup_store == "local":
        return None
    from gameserver.backups.s3 import S3Place, S3Store  # noqa: PLC0415 - an extra

    return S3Store(
        S3Place(
            bucket=settings.backup_s3_bucket,
            prefix=settings.backup_s3_prefix,
            region=settings.backup_s3_region,
            endpoint=settings.backup_s3_endpoint,
            access_key=settings.backup_s3_access_key,
            secret_key=settings.backup_s3_secret_key,
        )
    )
