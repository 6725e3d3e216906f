"""What a start of the manager, and of the game, has to know of versions."""

import asyncio
import contextlib

import structlog

from gameserver.backups.worlds import world_file
from gameserver.layout import Layout
from gameserver.versions.exceptions import VersionNotInstalled
from gameserver.versions.installation import Installed
from gameserver.versions.journal import SwitchJournal, SwitchStep, switch_document


async def recover_switch(layout: Layout, installed: Installed) -> None:
    """Finish or undo a switch that a crash interrupted; to be called before the game is started.

    Before the new version was started, the world is untouched: the old one is current again.
    After that it stays, since it may have changed the world; the backup from before is there.
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


async def remember_world(layout: Layout, installed: Installed) -> None:
    """Remember, before each start, which version may change the world from now on."""
    current = await installed.current()
    if current is not None:
        world = await asyncio.to_thread(world_file, layout)
        await installed.ran_world(world.name, current.version)
