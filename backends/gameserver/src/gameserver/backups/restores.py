"""Restores: a backup put in the place of what is there, all or nothing."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bedplate import ids
from bedplate.documents import FileTransactions, write_atomically
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import ProblemError
from gameserver.backups.apart import perform
from gameserver.backups.backups import Backups, Counted, Occasion
from gameserver.backups.exceptions import GameStillRunning, NewerWorld
from gameserver.backups.jobs import Unpack
from gameserver.backups.packing import FILES, FOLDERS, SAVES
from gameserver.backups.schemas import Backup, BackupKind, Manifest, NewRestore, RestoreScope
from gameserver.backups.streams import write_stream
from gameserver.backups.worlds import COMPANIONS, save_location, world_file
from gameserver.disk import remove_tree, require_room
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.exclusive import exclusive_world, start_when_free
from gameserver.process.game import Game
from gameserver.status import AT_REST
from gameserver.versions.installation import Installed
from gameserver.versions.numbers import VersionNumber

_NOT_BESIDE: Final = frozenset(
    {OperationKind.BACKUP, OperationKind.RESTORE, OperationKind.SWITCH, OperationKind.MODS}
)
ARCHIVE_COPY: Final = "backup.tar.zst"
_CONFIG: Final = "serverconfig.json"


class Restores:
    """Brings backups back.

    Before anything is replaced the archive is checked whole, and what is there is backed up as
    `before-restore`: restoring that one undoes the restore.
    """

    def __init__(
        self,
        layout: Layout,
        game: Game,
        backups: Backups,
        swaps: FileTransactions,
        installed: Installed,
        operations: Operations,
        events: Events,
    ) -> None:
        self._layout = layout
        self._game = game
        self._backups = backups
        self._swaps = swaps
        self._installed = installed
        self._operations = operations
        self._events = events

    async def start(self, backup_id: str, wanted: NewRestore, *, by: str) -> Operation:
        """Begin a restore, and return the operation to watch.

        Its result names the `backup` and, when there was a world, the `safety_copy`. Raises
        `BackupNotFound`, `NewerWorld`, `GameStillRunning`, `OperationInProgress`.
        """
        backup = await self._backups.catalogue.get(backup_id)
        await self._refuse_newer(backup, wanted)
        if not wanted.stop and self._game.status.state not in AT_REST:
            raise GameStillRunning

        async def work(progress: Progress) -> dict[str, str]:
            return await self.restore(backup, wanted, progress, by=by)

        return await self._operations.start(
            OperationKind.RESTORE,
            work,
            by=by,
            not_beside=_NOT_BESIDE,
        )

    async def restore(
        self, backup: Backup, wanted: NewRestore, progress: Progress, *, by: str
    ) -> dict[str, str]:
        """Restore a backup as part of other work. Raises what can be wrong with it."""
        with self._backups.catalogue.using(backup.id):
            staged = self._layout.staging / f"restore-{ids.token(8)}"
            await asyncio.to_thread(staged.mkdir)
            try:
                manifest = await self._stage(backup, staged, progress.part(0, 0.5))
                async with self._at_rest(wanted, by):
                    safety = await self._keep_present(backup, progress.part(0.5, 0.9), by)
                    progress.report(0.95, "Exchanging")
                    await self._exchange(manifest, staged, wanted.scope)
            finally:
                await finish_in_thread(lambda: remove_tree(staged))
        text = f"The world {backup.world} of {backup.created_at:%Y-%m-%d %H:%M} UTC is back."
        self._events.publish(EventKind.RESTORED, text, backup=backup.id)
        return {"backup": backup.id, **safety}

    async def put_back(self, backup: Backup, progress: Progress) -> None:
        """Put a backup's world back for whoever holds the world already; no safety copy is made.

        For an update that failed: what it did to the world is what has to go.
        """
        staged = self._layout.staging / f"restore-{ids.token(8)}"
        await asyncio.to_thread(staged.mkdir)
        try:
            manifest = await self._stage(backup, staged, progress)
            await self._exchange(manifest, staged, RestoreScope.WORLD)
        finally:
            await finish_in_thread(lambda: remove_tree(staged))

    async def _refuse_newer(self, backup: Backup, wanted: NewRestore) -> None:
        current = await self._installed.current()
        if wanted.force or current is None or backup.game_version is None:
            return
        if VersionNumber.parse(backup.game_version) > VersionNumber.parse(current.version):
            raise NewerWorld(backup.game_version, current.version)

    async def _stage(self, backup: Backup, staged: Path, progress: Progress) -> Manifest:
        """Unpack and check a backup before anything is touched."""
        archive = staged / ARCHIVE_COPY
        size = sum(part.bytes for part in backup.contents.values())
        here = 0 if backup.local else backup.bytes
        await asyncio.to_thread(require_room, self._layout.staging, size + here)
        await self._fetch(backup, archive, progress.part(0, 0.3))
        told = Counted(progress.part(0.3, 1), max(1, size), "Checking the backup")
        job = Unpack(archive=archive, target=staged / "data", most_bytes=_room_for(size))
        return (await perform(job, size, told)).archived

    async def _fetch(self, backup: Backup, archive: Path, progress: Progress) -> None:
        told = Counted(progress, max(1, backup.bytes), "Fetching the backup")
        if backup.local:
            await asyncio.to_thread(
                os.link, self._backups.catalogue.local.archive(backup.id), archive
            )
        else:
            chunks = self._backups.catalogue.copies.read(backup)
            await write_stream(chunks, archive, most_bytes=backup.bytes, told=told)

    @contextlib.asynccontextmanager
    async def _at_rest(self, wanted: NewRestore, by: str) -> AsyncIterator[None]:
        """Have the game stopped within; started again afterwards if it ran, also after an error."""
        ran = self._game.status.state not in AT_REST
        if ran and not wanted.stop:
            raise GameStillRunning
        if ran:
            await self._game.stop(by=by, reason="A backup is restored.", for_good=False)
        try:
            async with exclusive_world(self._game, "a restore"):
                yield
        except BaseException:
            if ran:
                with contextlib.suppress(ProblemError):
                    await start_when_free(self._game, by=by)
            raise
        if ran:
            await start_when_free(self._game, by=by)

    async def _keep_present(self, backup: Backup, progress: Progress, by: str) -> dict[str, str]:
        if not await self._backups.has_world():
            return {}
        occasion = Occasion(BackupKind.BEFORE_RESTORE, by, f"Before the restore of {backup.id}")
        safety = await self._backups.make_at_rest(occasion, progress)
        return {"safety_copy": safety.id}

    async def _exchange(self, manifest: Manifest, staged: Path, scope: RestoreScope) -> None:
        data = staged / "data"
        saved_world = data / SAVES / manifest.world
        world = await asyncio.to_thread(world_file, self._layout)
        replacements: dict[Path, Path | None] = {}
        if scope is RestoreScope.WHOLE:
            world = self._layout.saves / manifest.world
            await finish_in_thread(lambda: _point_at(data / _CONFIG, world))
            for part in (*FOLDERS, *FILES):
                staged_part = data / part
                there = await asyncio.to_thread(staged_part.exists)
                replacements[self._layout.server_data / part] = staged_part if there else None
        replacements[world] = saved_world
        # What another world's log or lock holds would be played into the restored one.
        replacements |= {world.with_name(world.name + suffix): None for suffix in COMPANIONS}
        if manifest.game_version is not None:
            await self._installed.ran_world(world.name, manifest.game_version)
        await self._swaps.exchange(replacements)
        await self._installed.restored_world(world.name, manifest.game_version)


def _room_for(size: int) -> int:
    """Return the bytes an archive may unpack to: what its record says, and its manifest."""
    return size + (64 << 20)


def _point_at(config: Path, world: Path) -> None:
    """Make restored settings name the world's place in this data directory; blocking.

    Settings of another machine hold an absolute path of there. What can't be read stays as it is:
    the game reads it no better, and makes new settings.
    """
    with contextlib.suppress(OSError, ValueError, RecursionError, LookupError, TypeError):
        text = config.read_text("utf-8-sig")
        location = save_location(text)
        if isinstance(location, str) and location != str(world):
            old, new = json.dumps(location), json.dumps(str(world))
            if text.count(old) == 1:
                write_atomically(config, text.replace(old, new).encode(), mode=0o644)
