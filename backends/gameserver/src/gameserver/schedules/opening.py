"""The timetable of this manager, opened in the lifespan."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from bedplate.backend import Resources
from bedplate.documents import Document
from bedplate.jobs.metrics import RunMetrics
from bedplate.jobs.schedule import Run, RunState
from bedplate.jobs.timetable import Timetable
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.mods.library import ModLibrary
from gameserver.schedules.performer import Performer
from gameserver.schedules.schemas import Action, Kept, Timetables
from gameserver.schedules.updates import UpdateCheck, newer_game, newer_mods
from gameserver.settings import GameServerSettings
from gameserver.versions.opening import VersionParts


@contextlib.asynccontextmanager
async def open_schedules(
    _: GameServerSettings, resources: Resources
) -> AsyncIterator[Timetable[Action]]:
    """Yield the timetable; needs `game`, `backups`, `mods`, `versions` and what they need."""
    layout: Layout = resources["layout"]
    events: Events = resources["events"]
    performer = Performer(
        resources["game"],
        events,
        resources["backups"],
        resources["operations"],
        _update_check(resources),
    )
    metrics = RunMetrics(resources["metrics"])

    def observe(schedule: Kept, run: Run) -> None:
        metrics.observe(schedule, run)
        if run.state is RunState.FAILED:
            text = f"The schedule {schedule.name} failed: {run.text}"
            events.publish(EventKind.SCHEDULE_FAILED, text, schedule=schedule.name)

    document = Document(layout.state / "schedules.json", Timetables, default=Timetables)
    async with Timetable(
        document, performer, drain=resources["drain"], observe=observe
    ) as timetable:
        yield timetable


def _update_check(resources: Resources) -> UpdateCheck:
    mods: ModLibrary = resources["mods"]

    async def look_for_mods() -> Sequence[str]:
        return newer_mods(await mods.updates.check(await mods.game_version()))

    async def look_for_game() -> Sequence[str]:
        parts: VersionParts = resources["versions"]  # opened by the time that a check runs
        return newer_game(await parts.versions.list(refresh=True))

    return UpdateCheck(resources["events"], game=look_for_game, mods=look_for_mods)
