import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate.documents import FileTransactions
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import ProblemError
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.exceptions import (
    BackupVersionNotInstalled,
    BackupWithoutVersion,
    GameStillRunning,
    WorldFromNewerVersion,
)
from gameserver.backups.jobs import FILES, FOLDERS, MAX_MANIFEST_BYTES, SAVES, Unpack
from gameserver.backups.schemas import Backup, BackupKind, Manifest, NewRestore, RestoreScope
from gameserver.backups.service import BackupRequest, Backups
from gameserver.backups.stores import ARCHIVE
from gameserver.backups.worker_process import perform
from gameserver.backups.worlds import COMPANIONS
from gameserver.config_file import ConfigFile
from gameserver.disk import require_room, staged_folder, write_stream
from gameserver.events import EventKind, Events
from gameserver.installed import InstalledVersions, VersionNotInstalled
from gameserver.layout import Layout
from gameserver.locations import fitted, world_file
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.game import Game, start_when_free, stopped_game
from gameserver.status import AT_REST
from gameserver.version_numbers import VersionNumber

_NOT_BESIDE: Final = frozenset(
    {OperationKind.BACKUP, OperationKind.RESTORE, OperationKind.SWITCH, OperationKind.MODS}
)
_CONFIG: Final = "serverconfig.json"


@dataclass(eq=False)
class Restores:
    """Restores backups: each replaces the present data, completely or not at all.

    Before anything is replaced, the whole archive is checked and the present data is backed up as
    `before-restore`: restoring that backup undoes the restore. The replacement is one file
    transaction: after a crash, `gameserver.wiring.open_file_transactions` finishes or undoes it.
    """

    layout: Layout
    game: Game
    backups: Backups
    catalogue: Catalogue
    transactions: FileTransactions
    installed: InstalledVersions
    operations: Operations
    events: Events

    async def start(self, backup_id: str, options: NewRestore, *, by: str) -> Operation:
        """Begin a restore, and return its operation.

        Its result names the `backup` and, if there was a world, the `safety_copy`. Raises
        `BackupNotFound`, `WorldFromNewerVersion`, `BackupWithoutVersion`,
        `BackupVersionNotInstalled`, `GameStillRunning`, `OperationInProgress`.
        """
        backup = await self.catalogue.get(backup_id)
        if options.with_version:
            await self._require_version(backup)
        else:
            await self._refuse_newer(backup, options)
        if not options.stop and self.game.status.state not in AT_REST:
            raise GameStillRunning

        async def work(progress: Progress) -> dict[str, str]:
            return await self._restore(backup, options, progress, by=by)

        return await self.operations.start(
            OperationKind.RESTORE, work, by=by, not_beside=_NOT_BESIDE
        )

    async def _restore(
        self, backup: Backup, options: NewRestore, progress: Progress, *, by: str
    ) -> dict[str, str]:
        with self.catalogue.using(backup.id):
            async with (
                self._staged(backup, progress.part(0, 0.5)) as (manifest, data),
                self._game_at_rest(options, by),
            ):
                safety = await self._back_up_present(backup, progress.part(0.5, 0.9), by)
                progress.report(0.95, "Replacing files")
                await self._replace(
                    manifest, data, options.scope, with_version=options.with_version
                )
        text = f"The world {backup.world} of {backup.created_at:%Y-%m-%d %H:%M} UTC is back."
        self.events.publish(EventKind.RESTORED, text, backup=backup.id)
        return {"backup": backup.id, **safety}

    async def put_back(self, backup: Backup, progress: Progress) -> None:
        """Restore a backup's world for a caller that has exclusive access; no safety copy is made.

        For an update that failed: what it did to the world has to go.
        """
        async with self._staged(backup, progress) as (manifest, data):
            await self._replace(manifest, data, RestoreScope.WORLD)

    async def _require_version(self, backup: Backup) -> None:
        if backup.game_version is None:
            raise BackupWithoutVersion
        try:
            await self.installed.find(backup.game_version)
        except VersionNotInstalled:
            raise BackupVersionNotInstalled(backup.game_version) from None

    async def _refuse_newer(self, backup: Backup, options: NewRestore) -> None:
        current = await self.installed.current()
        if options.force or current is None or backup.game_version is None:
            return
        if VersionNumber.parse(backup.game_version) > VersionNumber.parse(current.version):
            raise WorldFromNewerVersion(backup.game_version, current.version)

    @contextlib.asynccontextmanager
    async def _staged(
        self, backup: Backup, progress: Progress
    ) -> AsyncIterator[tuple[Manifest, Path]]:
        """Unpack and check a backup in a staging folder; yield its manifest and its data."""
        async with staged_folder(self.layout.staging, "restore") as staged:
            archive, data = staged / ARCHIVE, staged / "data"
            size = sum(part.bytes for part in backup.contents.values())
            download_size = 0 if backup.local else backup.bytes
            await asyncio.to_thread(require_room, self.layout.staging, size + download_size)
            await self._fetch(backup, archive, progress.part(0, 0.3))
            counter = progress.part(0.3, 1).counter(size, "Checking the backup")
            job = Unpack(archive=archive, target=data, max_bytes=size + MAX_MANIFEST_BYTES)
            yield (await perform(job, size, counter)).archive_manifest, data

    async def _fetch(self, backup: Backup, target: Path, progress: Progress) -> None:
        counter = progress.counter(backup.bytes, "Fetching the backup")
        archive = self.catalogue.archive(backup)
        if isinstance(archive, Path):
            await asyncio.to_thread(os.link, archive, target)
        else:
            await write_stream(archive, target, max_bytes=backup.bytes, on_progress=counter)

    @contextlib.asynccontextmanager
    async def _game_at_rest(self, options: NewRestore, by: str) -> AsyncIterator[None]:
        """Stop the game for the context; start it again if it ran, also after an error.

        Unless it shall stay down: then the next manager doesn't start it, either.
        """
        ran = self.game.status.state not in AT_REST
        if ran and not options.stop:
            raise GameStillRunning
        async with stopped_game(self.game, "a restore", by=by, reason="A backup is restored."):
            yield
        if ran and options.start:
            await start_when_free(self.game, by=by)
        elif ran:
            await self.game.stop(by=by, reason="A backup was restored.")

    async def _back_up_present(self, backup: Backup, progress: Progress, by: str) -> dict[str, str]:
        if not await self.backups.has_world():
            return {}
        request = BackupRequest(BackupKind.BEFORE_RESTORE, by, f"Before the restore of {backup.id}")
        return {"safety_copy": (await self.backups.make_at_rest(request, progress)).id}

    async def _replace(
        self, manifest: Manifest, data: Path, scope: RestoreScope, *, with_version: bool = False
    ) -> None:
        world = await asyncio.to_thread(world_file, self.layout)
        replacements: dict[Path, Path | None] = {}
        if scope is RestoreScope.WHOLE and not manifest.world_only:
            world = self.layout.saves / manifest.world
            await finish_in_thread(lambda: _fit_settings(data / _CONFIG, world, self.layout.mods))
            for part in (*FOLDERS, *FILES):
                exists = await asyncio.to_thread((data / part).exists)
                replacements[self.layout.server_data / part] = data / part if exists else None
        replacements[world] = data / SAVES / manifest.world
        # SQLite would replay another world's log or journal into the restored one.
        replacements |= {world.with_name(world.name + suffix): None for suffix in COMPANIONS}
        if with_version and manifest.game_version is not None:
            # One transaction: no version ever finds the world of another after a crash.
            replacements |= await self.installed.stage_restore(
                data.parent, world.name, manifest.game_version
            )
        if manifest.game_version is not None:
            await self.installed.ran_world(world.name, manifest.game_version)
        await self.transactions.replace(replacements)
        await self.installed.restored_world(world.name, manifest.game_version)


def _fit_settings(config: Path, world: Path, mods: Path) -> None:
    """Make restored settings name the world and the mods of this data directory. Blocking.

    Those from another machine have absolute paths of that machine. Unreadable settings stay as
    they are: the next start says what is wrong with them.
    """
    with contextlib.suppress(ProblemError, OSError):
        file = ConfigFile(config)
        text = file.read()
        content = None if text is None else fitted(text, world, mods)
        if content is not None:
            file.write(content)
