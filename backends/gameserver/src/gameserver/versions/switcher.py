"""Switches to another version, back again if it doesn't become ready, and recovers from crashes."""

import asyncio
import contextlib
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

    before          the previous version, which a rollback selects again
    backup          id of the backup of the world as that version left it
    world_version   newest version that had run the world until then
    """

    to: str | None = None
    before: str | None = None
    backup: str | None = None
    world_version: str | None = None
    step: SwitchStep = SwitchStep.PREPARED


def _journal_of(layout: Layout) -> Document[SwitchJournal]:
    return Document(layout.state / "switch.json", SwitchJournal, default=SwitchJournal)


class VersionSwitcher:
    """Switches versions: stop, back up, switch, start, and roll back if it doesn't become ready.

    The switch itself is one write. A journal records the steps, so that after a crash the next
    start of the manager finishes or undoes them.
    """

    def __init__(
        self,
        layout: Layout,
        game: Game,
        versions: Versions,
        installed: InstalledVersions,
        backups: Backups,
        restores: Restores,
        operations: Operations,
        events: Events,
        *,
        ready_seconds: float,
    ) -> None:
        self._layout = layout
        self._game = game
        self._versions = versions
        self._installed = installed
        self._backups = backups
        self._restores = restores
        self._operations = operations
        self._events = events
        self._ready_seconds = ready_seconds
        self._journal = _journal_of(layout)

    async def start(self, version: str, options: NewSwitch, *, by: str) -> Operation:
        """Begin a switch, and return its operation.

        Raises `VersionInUse`, `DowngradeRefused`, `VersionNotOffered`, `FeedUnavailable`,
        `OperationInProgress`.
        """
        current = await self._installed.current()
        if current is not None and current.version == version:
            raise VersionInUse("This version is the current one already.")
        await self._refuse_downgrade(version, options)
        present = await asyncio.to_thread(self._installed.folder(version).is_dir)
        missing = None if present else await self._versions.feed.find(version)

        async def work(progress: Progress) -> dict[str, str]:
            return await self._switch(version, missing, options, progress, by)

        return await self._operations.start(
            OperationKind.SWITCH, work, by=by, not_beside=_NOT_BESIDE
        )

    async def _refuse_downgrade(self, version: str, options: NewSwitch) -> None:
        world = None if options.force else await self._versions.world_version()
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
            await self._versions.installer.install(missing, progress.part(0, 0.6))
        await self._refuse_downgrade(version, options)
        ran = self._game.status.state not in AT_REST
        if ran:
            progress.report(0.6, "Stopping the game")
        reason = f"The game is switched to version {version}."
        async with stopped_game(self._game, "a switch of versions", by=by, reason=reason):
            backup = await self._change(version, options, progress.part(0.62, 0.85), by)
        if ran:
            progress.report(0.9, f"Waiting until {version} is ready")
            await self._prove(version, backup, by)
        await self._journal.write(SwitchJournal())
        text = f"The game is version {version} now."
        self._events.publish(EventKind.VERSION_SWITCHED, text, version=version)
        return {"version": version} | ({"backup": backup.id} if backup else {})

    async def _change(
        self, version: str, options: NewSwitch, progress: Progress, by: str
    ) -> Backup | None:
        """Back up and switch, with exclusive access to the world; return the backup."""
        backup = None
        if options.backup and await self._backups.has_world():
            note = f"Before version {version}"
            request = BackupRequest(BackupKind.BEFORE_UPDATE, by, note)
            backup = await self._backups.make_at_rest(request, progress)
        current = await self._installed.current()
        await self._journal.write(
            SwitchJournal(
                to=version,
                before=current.version if current else None,
                backup=backup.id if backup else None,
                world_version=await self._versions.world_version(),
            )
        )
        await self._installed.select(version)
        return backup

    async def _prove(self, version: str, backup: Backup | None, by: str) -> None:
        """Start the new version; roll back if it doesn't become ready in time."""
        async with self._journal.change() as journal:
            journal.step = SwitchStep.TRYING
        reason = await start_until_ready(self._game, by=by, seconds=self._ready_seconds)
        if reason is None:
            return
        outcome = await self._roll_back(backup, by)
        text = f"Version {version} did not become ready, {outcome} {reason}"
        self._events.publish(EventKind.VERSION_ROLLED_BACK, text, version=version)
        raise VersionRolledBack(text)

    async def _roll_back(self, backup: Backup | None, by: str) -> str:
        """Return to the previous version and its world; return a sentence about what runs now.

        The world comes first: after a crash in between, a newer version has an older world.
        """
        async with self._journal.change() as journal:
            journal.step = SwitchStep.RETURNING

        async def kill() -> None:
            await self._game.kill(by=by)  # a stop would save the changed world

        if self._game.status.state is not GameState.STOPPED:
            await kill()
        async with exclusive_world(self._game, "the rollback of a version", stop=kill):
            touched = backup is None and await self._backups.has_world()
            if backup is not None:
                await self._restores.put_back(backup, Progress.silent())
            await self._installed.select(journal.before)
        await self._journal.write(SwitchJournal())
        if touched:
            return "and may have changed the world, of which there is no backup: nothing runs."
        try:
            await start_when_free(self._game, by=by)
        except ProblemError as error:
            return f"and the previous one can't be started: {error.detail}"
        return "so the previous one runs again."


async def recover_switch(layout: Layout, installed: InstalledVersions) -> None:
    """Finish or undo a switch that a crash interrupted. To be called before the game starts.

    If the new version never started, the world is untouched and the previous version becomes
    current again. Otherwise the new version stays, since it may have changed the world; the backup
    from before the switch exists.
    """
    document = _journal_of(layout)
    journal = await document.read()
    if journal.to is None:
        return
    if journal.step is SwitchStep.PREPARED:
        with contextlib.suppress(VersionNotInstalled):
            await installed.select(journal.before)
    structlog.get_logger().warning("switch_recovered", to=journal.to, step=journal.step)
    await document.write(SwitchJournal())
