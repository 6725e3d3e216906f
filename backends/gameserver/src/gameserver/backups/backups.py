"""Backups: made while the game runs, and while it doesn't."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedplate import clock, ids
from bedplate.documents.threads import finish_in_thread
from bedplate.problems import ProblemError
from gameserver.backups.apart import perform
from gameserver.backups.catalogue import Catalogue
from gameserver.backups.exceptions import GameNotSettled, NoWorld
from gameserver.backups.jobs import CopyWorld, Outcome, Pack
from gameserver.backups.live_copy import LiveCopy
from gameserver.backups.packing import Source, contents_of, size_beside_world
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.stores import ARCHIVE
from gameserver.backups.worlds import (
    remove_companions,
    size_of,
    world_file,
)
from gameserver.disk import remove_tree, require_room
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.exceptions import GameNotStopped
from gameserver.process.exclusive import exclusive_world
from gameserver.process.game import Game
from gameserver.status import AT_REST, GameState
from gameserver.versions.installation import Installed

_SETTLE_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 0.05
_PACKED: Final = 0.9
_MAX_SKIPPED: Final = 100
_MAX_NAME_LENGTH: Final = 1_024


@dataclass(frozen=True)
class Occasion:
    """Why, and for whom, a backup is made."""

    kind: BackupKind
    by: str
    note: str = ""
    pinned: bool = False


class Backups:
    """Makes backups, one at a time; others wait for their turn.

    A backup gets its name when it is whole and on disk.
    """

    def __init__(
        self,
        layout: Layout,
        game: Game,
        live_copy: LiveCopy,
        catalogue: Catalogue,
        installed: Installed,
        operations: Operations,
        events: Events,
    ) -> None:
        self.catalogue = catalogue
        self._layout = layout
        self._game = game
        self._live_copy = live_copy
        self._installed = installed
        self._operations = operations
        self._events = events
        self._turn = asyncio.Lock()

    async def tidy(self) -> None:
        """Remove what a manager that was killed left of its work. To be called at start."""
        await self._live_copy.tidy()
        await self.catalogue.local.tidy()

    async def start(self, occasion: Occasion) -> Operation:
        """Begin a backup, and return the operation to watch. Raises `NoWorld`."""
        await self._require_world()

        async def work(progress: Progress) -> dict[str, str]:
            return {"backup": (await self.make(occasion, progress)).id}

        return await self._operations.start(OperationKind.BACKUP, work, by=occasion.by)

    async def make(self, occasion: Occasion, progress: Progress) -> Backup:
        """Make a backup as part of other work, whatever the game does; it goes on doing it.

        Raises `NoWorld`, `GameNotSettled`, `GameBusy`, `InsufficientStorage` and what
        `LiveCopy.make` raises.
        """
        progress.report(0, "Waiting for another backup" if self._turn.locked() else "Preparing")
        async with self._turn, self._told_of_failure(occasion):
            while True:
                if await self._state() is GameState.RUNNING:
                    return await self._make(occasion, progress, running=True)
                # Whoever starts the game in between is no reason to have no backup.
                with contextlib.suppress(GameNotStopped):
                    async with exclusive_world(self._game, "a backup"):
                        return await self._make(occasion, progress, running=False)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def make_at_rest(self, occasion: Occasion, progress: Progress) -> Backup:
        """Make a backup for whoever holds the world already (`Game.exclusive`).

        It doesn't wait for its turn: who has the turn may be waiting for the world.
        """
        async with self._told_of_failure(occasion):
            return await self._make(occasion, progress, running=False)

    async def has_world(self) -> bool:
        """Return whether there is a world to back up."""
        return await asyncio.to_thread(lambda: world_file(self._layout).is_file())

    async def _state(self) -> GameState:
        settled = (GameState.RUNNING, *AT_REST)
        try:
            return (await self._game.wait_for(*settled, timeout=_SETTLE_SECONDS)).state
        except TimeoutError:
            raise GameNotSettled(self._game.status.state) from None

    async def _require_world(self) -> Path:
        world = await asyncio.to_thread(world_file, self._layout)
        if not await asyncio.to_thread(world.is_file):
            raise NoWorld
        return world

    async def _make(self, occasion: Occasion, progress: Progress, *, running: bool) -> Backup:
        world = await self._require_world()
        size = await asyncio.to_thread(self._require_room, world)
        staged = self._layout.staging / f"backup-{ids.token(8)}"
        copy = staged / world.name
        await asyncio.to_thread(staged.mkdir)
        try:
            if running:
                await self._live_copy.make(world, copy, progress.part(0, 0.5), by=occasion.by)
            else:
                await self._copy_at_rest(world, copy, progress.part(0, 0.5))
            backup = await self._pack(occasion, world.name, staged, size, progress.part(0.5, 1))
            await self.catalogue.add(backup, staged)
        finally:
            await finish_in_thread(lambda: remove_tree(staged))
        return backup

    def _require_room(self, world: Path) -> int:
        """Return the bytes that go into the archive. Raises `InsufficientStorage`."""
        beside = size_beside_world(self._layout.server_data)
        size = size_of(world)
        require_room(self._layout.staging, 2 * size + beside)
        return size + beside

    async def _copy_at_rest(self, world: Path, copy: Path, progress: Progress) -> None:
        size = max(1, await asyncio.to_thread(size_of, world))
        copied = Counted(progress, size, "Copying the world")
        await perform(CopyWorld(world=world, target=copy), size, copied)

    async def _pack(
        self, occasion: Occasion, world: str, staged: Path, size: int, progress: Progress
    ) -> Backup:
        source = Source(
            world_copy=staged / world,
            server_data=self._layout.server_data,
            kind=occasion.kind,
            created_at=clock.now(),
            game_version=await self._installed.world_version(world),
            world=world,
        )
        archive = staged / ARCHIVE
        told = Counted(progress.part(0, _PACKED), max(1, size), "Packing")
        outcome = await perform(Pack(source=source, archive=archive), size, told)
        backup = await describe(outcome, archive, occasion)
        await finish_in_thread((staged / world).unlink)
        await finish_in_thread(lambda: remove_companions(staged / world))
        return backup

    @contextlib.asynccontextmanager
    async def _told_of_failure(self, occasion: Occasion) -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:
            text = error.detail if isinstance(error, ProblemError) else "It failed unexpectedly."
            self._events.publish(
                EventKind.BACKUP_FAILED, f"A backup failed. {text}", backup_kind=occasion.kind
            )
            raise


async def describe(outcome: Outcome, archive: Path, occasion: Occasion) -> Backup:
    """Return the record of a finished archive."""
    created, manifest = clock.now(), outcome.archived
    return Backup(
        id=f"{created:%Y%m%d-%H%M%S}-{occasion.kind}-{ids.token(4)}",
        kind=occasion.kind,
        created_at=created,
        by=occasion.by,
        note=occasion.note,
        pinned=occasion.pinned,
        game_version=manifest.game_version,
        world=manifest.world,
        bytes=(await asyncio.to_thread(archive.stat)).st_size,
        sha256=outcome.sha256,
        contents=contents_of(manifest.members),
        skipped=[name[:_MAX_NAME_LENGTH] for name in manifest.skipped[:_MAX_SKIPPED]],
    )


class Counted:
    """Turns bytes that were dealt with into progress."""

    def __init__(self, progress: Progress, total: int, detail: str) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        progress.report(0, detail)

    def __call__(self, count: int) -> None:
        """Count further bytes."""
        self._done += count
        self._progress.report(self._done / self._total)
