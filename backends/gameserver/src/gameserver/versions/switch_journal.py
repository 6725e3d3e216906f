"""The record of a version switch in progress, and the recovery of one that a crash interrupted."""

import contextlib
from enum import StrEnum

import structlog
from pydantic import BaseModel

from bedplate.documents import Document
from gameserver.installed import InstalledVersions, VersionNotInstalled
from gameserver.layout import Layout


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


def switch_document(layout: Layout) -> Document[SwitchJournal]:
    """Return the document of the switch in progress."""
    return Document(layout.state / "switch.json", SwitchJournal, default=SwitchJournal)


async def recover_switch(layout: Layout, installed: InstalledVersions) -> None:
    """Finish or undo a switch that a crash interrupted. To be called before the game starts.

    If the new version never started, the world is untouched and the previous version becomes
    current again. Otherwise the new version stays, since it may have changed the world; the backup
    from before the switch exists.
    """
    document = switch_document(layout)
    journal = await document.read()
    if journal.to is None:
        return
    if journal.step is SwitchStep.PREPARED:
        if journal.before is None:
            await installed.deselect()
        else:
            with contextlib.suppress(VersionNotInstalled):
                await installed.select(journal.before)
    structlog.get_logger().warning("switch_recovered", to=journal.to, step=journal.step)
    await document.write(SwitchJournal())
