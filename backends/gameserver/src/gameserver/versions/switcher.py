"""Switches to another version, back again if it doesn't become ready, and recovers from crashes."""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from pydantic import BaseModel

from bedplate.documents import Document
from bedplate.problems import ProblemError
from gameserver.backups.restores import Restores
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.backups.service import BackupRequest, Backups
from gameserver.events import EventKind, Events
from gameserver.installed import InstalledVersions, VersionNotInstalled
from gameserver.layout import Layout
from gameserver.operations.progress import Progress
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Operations
from gameserver.process.game import (
    Game,
    exclusive_world,
    start_until_ready,
    start_when_free,
    stopped_game,
)
from gameserver.status import AT_REST, GameState
from gameserver.version_numbers import VersionNumber
from gameserver.versions.exceptions import DowngradeRefused, VersionInUse, VersionRolledBack
from gameserver.versions.schemas import NewSwitch, OfferedVersion
from gameserver.versions.service import Versions

_NOT_BESIDE: Final = frozenset(OperationKind) - {OperationKind.COPY, OperationKind.UPLOAD}


class SwitchStep(StrEnum):
    """How far a switch is; recovery depends on it."""

    PREPARED = "prepared"
    TRYING = "trying"
    RETURNING = "returning"


class SwitchJournal(BaseModel):
    """The switch in progress; empty if there is none. A stored format.

    before   the previous version, which a rollback selects again
    backup   id of the backup of the world as that version left it
    """

    to: str | None = None
    before: str | None = None
    backup: str | None = None
    step: SwitchStep = SwitchStep.PREPARED


def journal_of(layout: Layout) -> Document[SwitchJournal]:
    """Return the document of the switch in progress."""
    return Document(layout.state / "switch.json", SwitchJournal, default=SwitchJournal)


@dataclass(frozen=True)
class VersionSwitcher:
    """Switches versions: stop, back up, switch, start, and roll back if it doesn't become ready.

    The switch itself is one write. A journal records the steps, so that after a crash the next
    start of the manager finishes or undoes them.
    """

    game: Game
    versions: Versions
    installed: InstalledVersions
    backups: Backups
    restores: Restores
    operations: Operations
    events: Events
    journal: Document[SwitchJournal]
    ready_seconds: float

    async def start(self, version: str, options: NewSwitch, *, by: str) -> Operation:
        """Begin a switch, and return its operation.

        Raises `VersionInUse`, `DowngradeRefused`, `VersionNotOffered`, `FeedUnavailable`,
        `OperationInProgress`.
        """
        current = await self.installed.current()
        if current is not None and current.version == version:
            raise VersionInUse("This version is the current one already.")
        await self._refuse_downgrade(version, options)
        present = await asyncio.to_thread(self.installed.folder(version).is_dir)
        missing = None if present else await self.versions.feed.find(version)

        async def work(progress: Progress) -> dict[str, str]:
            return await self._switch(version, missing, options, progress, by)

        return await self.operations.start(
            OperationKind.SWITCH, work, by=by, not_beside=_NOT_BESIDE
        )

    async def _refuse_downgrade(self, version: str, options: NewSwitch) -> None:
        world = None if options.force else await self.versions.world_version()
        if world is not None and VersionNumber.parse(version) < VersionNumber.parse(world):
            raise DowngradeRefused(world)

    async def _switch(
        self,
        version: str,
        missing: OfferedVersion | None,
        options: NewSwitch,
        progress: Progress,
        by: str,
    ) -> dict[str, str]:
        if missing is not None:
            await self.versions.installer.install(missing, progress.part(0, 0.6))
        await self._refuse_downgrade(version, options)
        ran = self.game.status.state not in AT_REST
        if ran:
            progress.report(0.6, "Stopping the game")
        reason = f"The game is switched to version {version}."
        async with stopped_game(self.game, "a switch of versions", by=by, reason=reason):
            backup = await self._change(version, options, progress.part(0.62, 0.85), by)
        if ran:
            progress.report(0.9, f"Waiting until {version} is ready")
            await self._prove(version, backup, by)
        await self.journal.write(SwitchJournal())
        text = f"The game is version {version} now."
        self.events.publish(EventKind.VERSION_SWITCHED, text, version=version)
        return {"version": version} | ({"backup": backup.id} if backup else {})

    async def _change(
        self, version: str, options: NewSwitch, progress: Progress, by: str
    ) -> Backup | None:
        """Back up and switch, with exclusive access to the world; return the backup."""
        backup = None
        if options.backup and await self.backups.has_world():
            request = BackupRequest(BackupKind.BEFORE_UPDATE, by, f"Before version {version}")
            backup = await self.backups.make_at_rest(request, progress)
        current = await self.installed.current()
        journal = SwitchJournal(
            to=version,
            before=current.version if current else None,
            backup=backup.id if backup else None,
        )
        await self.journal.write(journal)
        await self.installed.select(version)
        return backup

    async def _prove(self, version: str, backup: Backup | None, by: str) -> None:
        """Start the new version; roll back if it doesn't become ready in time."""
        async with self.journal.change() as journal:
            journal.step = SwitchStep.TRYING
        reason = await start_until_ready(self.game, by=by, seconds=self.ready_seconds)
        if reason is None:
            return
        outcome = await self._roll_back(backup, by)
        text = f"Version {version} did not become ready, {outcome} {reason}"
        self.events.publish(EventKind.VERSION_ROLLED_BACK, text, version=version)
        raise VersionRolledBack(text)

    async def _roll_back(self, backup: Backup | None, by: str) -> str:
        """Return to the previous version and its world; return a sentence about what runs now.

        The world comes first: after a crash in between, a newer version has an older world.
        """
        async with self.journal.change() as journal:
            journal.step = SwitchStep.RETURNING

        async def kill() -> None:
            await self.game.kill(by=by)  # a stop would save the changed world

        if self.game.status.state is not GameState.STOPPED:
            await kill()
        async with exclusive_world(self.game, "the rollback of a version", stop=kill):
            touched = backup is None and await self.backups.has_world()
            if backup is not None:
                await self.restores.put_back(backup, Progress.silent())
            await self.installed.select(journal.before)
        await self.journal.write(SwitchJournal())
        if touched:
            return "and may have changed the world, of which there is no backup: nothing runs."
        try:
            await start_when_free(self.game, by=by)
        except ProblemError as error:
            return f"and the previous one can't be started: {error.detail}"
        return "so the previous one runs again."


async def recover_switch(layout: Layout, installed: InstalledVersions) -> None:
    """Finish or undo a switch that a crash interrupted. To be called before the game starts.

    If the new version never started, the world is untouched and the previous version becomes
    current again. Otherwise the new version stays, since it may have changed the world; the backup
    from before the switch exists.
    """
    document = journal_of(layout)
    journal = await document.read()
    if journal.to is None:
        return
    if journal.step is SwitchStep.PREPARED:
        with contextlib.suppress(VersionNotInstalled):
            await installed.select(journal.before)
    structlog.get_logger().warning("switch_recovered", to=journal.to, step=journal.step)
    await document.write(SwitchJournal())
