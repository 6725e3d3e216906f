import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bedplate import clock, ids
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import ProblemError
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.exceptions import GameInTransition, WorldNotFound
from gameserver.backups.jobs import CopyWorld, Outcome, Pack, contents_of, size_without_world
from gameserver.backups.live_copy import LiveCopy
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.stores import ARCHIVE
from gameserver.backups.worker_process import perform
from gameserver.backups.worlds import remove_copy, size_of
from gameserver.disk import require_room, staged_folder
from gameserver.events import EventKind, Events
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.locations import require_fitting_world, world_file
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.exceptions import GameNotStopped
from gameserver.process.game import Game, exclusive_world
from gameserver.status import AT_REST, GameState

_SETTLE_SECONDS: Final = 120.0
_RETRY_SECONDS: Final = 0.05
_PACKING_SHARE: Final = 0.9
_MAX_SKIPPED: Final = 100
_MAX_NAME_LENGTH: Final = 1_024


@dataclass(frozen=True)
class BackupRequest:
    """Why, and for whom, a backup is made."""

    kind: BackupKind
    by: str
    note: str = ""
    pinned: bool = False


@dataclass(eq=False)
class Backups:
    """Makes backups, one at a time, whether the game runs or not.

    A backup gets its name when it is complete and on disk.
    """

    layout: Layout
    game: Game
    live_copy: LiveCopy
    catalogue: Catalogue
    installed: InstalledVersions
    operations: Operations
    events: Events
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def start(self, request: BackupRequest) -> Operation:
        """Begin a backup, and return its operation. Raises `WorldNotFound`."""
        await self._require_world()

        async def work(progress: Progress) -> dict[str, str]:
            return {"backup": (await self.make(request, progress)).id}

        return await self.operations.start(OperationKind.BACKUP, work, by=request.by)

    async def make(self, request: BackupRequest, progress: Progress) -> Backup:
        """Make a backup as part of other work; a running game continues to run.

        Raises `WorldNotFound`, `WorldElsewhere`, `GameInTransition`, `GameBusy`,
        `InsufficientStorage` and what `LiveCopy.make` raises.
        """
        progress.report(0, "Waiting for another backup" if self._lock.locked() else "Preparing")
        async with self._lock, self._publishing_failure(request):
            while True:
                if await self._settled_state() is GameState.RUNNING:
                    return await self._make(request, progress, running=True)
                # Somebody may start the game in between: then the next round copies it live.
                with contextlib.suppress(GameNotStopped):
                    async with exclusive_world(self.game, "a backup"):
                        return await self._make(request, progress, running=False)
                await asyncio.sleep(_RETRY_SECONDS)

    async def make_at_rest(self, request: BackupRequest, progress: Progress) -> Backup:
        """Make a backup for a caller that has exclusive access to the world (`Game.exclusive`).

        It doesn't wait for other backups: those may be waiting for the world.
        """
        async with self._publishing_failure(request):
            return await self._make(request, progress, running=False)

    async def has_world(self) -> bool:
        """Return whether there is a world to back up."""
        return await asyncio.to_thread(lambda: world_file(self.layout).is_file())

    async def _settled_state(self) -> GameState:
        states = (GameState.RUNNING, *AT_REST)
        try:
            return (await self.game.wait_for(*states, timeout=_SETTLE_SECONDS)).state
        except TimeoutError:
            state = self.game.status.state
            raise GameInTransition(f"The game is {state}: wait until it runs or stop it.") from None

    async def _require_world(self) -> Path:
        world = await asyncio.to_thread(world_file, self.layout)
        if not await asyncio.to_thread(world.is_file):
            raise WorldNotFound
        return world

    async def _make(self, request: BackupRequest, progress: Progress, *, running: bool) -> Backup:
        world = await self._require_world()
        if not running:  # a running game copies the world that it has open, wherever that is
            await asyncio.to_thread(require_fitting_world, self.layout)
        size = await asyncio.to_thread(self._require_room, world)
        async with staged_folder(self.layout.staging, "backup") as staged:
            copy = staged / world.name
            if running:
                await self.live_copy.make(world, copy, progress.part(0, 0.5), by=request.by)
            else:
                world_size = await asyncio.to_thread(size_of, world)
                counter = progress.part(0, 0.5).counter(world_size, "Copying the world")
                await perform(CopyWorld(world=world, target=copy), world_size, counter)
            backup = await self._pack(request, copy, size, progress.part(0.5, 1))
            await self.catalogue.add(backup, staged)
        return backup

    def _require_room(self, world: Path) -> int:
        """Return the bytes that go into the archive. Raises `InsufficientStorage`."""
        other, size = size_without_world(self.layout.server_data), size_of(world)
        require_room(self.layout.staging, 2 * size + other)
        return size + other

    async def _pack(
        self, request: BackupRequest, world_copy: Path, size: int, progress: Progress
    ) -> Backup:
        job = Pack(
            archive=world_copy.with_name(ARCHIVE),
            world_copy=world_copy,
            server_data=self.layout.server_data,
            kind=request.kind,
            created_at=clock.now(),
            game_version=await self.installed.world_version(world_copy.name),
            world=world_copy.name,
        )
        counter = progress.part(0, _PACKING_SHARE).counter(size, "Packing")
        backup = await record_of(await perform(job, size, counter), job.archive, request)
        await finish_in_thread(lambda: remove_copy(world_copy))
        return backup

    @contextlib.asynccontextmanager
    async def _publishing_failure(self, request: BackupRequest) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            text = error.detail if isinstance(error, ProblemError) else "It failed unexpectedly."
            self.events.publish(
                EventKind.BACKUP_FAILED, f"A backup failed. {text}", backup_kind=request.kind
            )
            raise


async def record_of(outcome: Outcome, archive: Path, request: BackupRequest) -> Backup:
    """Return the record of a finished archive."""
    created, manifest = clock.now(), outcome.archive_manifest
    return Backup(
        id=f"{created:%Y%m%d-%H%M%S}-{request.kind}-{ids.token(4)}",
        kind=request.kind,
        created_at=created,
        by=request.by,
        note=request.note,
        pinned=request.pinned,
        game_version=manifest.game_version,
        world=manifest.world,
        bytes=(await asyncio.to_thread(archive.stat)).st_size,
        sha256=outcome.sha256,
        contents=contents_of(manifest.members),
        skipped=[name[:_MAX_NAME_LENGTH] for name in manifest.skipped[:_MAX_SKIPPED]],
    )
