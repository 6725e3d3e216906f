import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from bedplate.documents import Document
from bedplate.jobs.metrics import RunMetrics
from bedplate.jobs.schedule import Run, RunState
from bedplate.jobs.timetable import Timetable
from bedplate.lifecycle import Drain
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state
from gameserver.backups.wiring import BackupServices
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.mods.service import ModLibrary
from gameserver.operations.service import Operations
from gameserver.process.game import Game
from gameserver.schedules.schemas import Action, Kept, Timetables
from gameserver.schedules.service import ActionRunner
from gameserver.schedules.updates import UpdateCheck, newer_game, newer_mods
from gameserver.versions.wiring import VersionServices

CurrentSchedules = Annotated[Timetable[Action], from_state(Timetable[Action])]


@contextlib.asynccontextmanager
async def open_schedules(
    layout: Layout,
    events: Events,
    game: Game,
    backups: BackupServices,
    versions: VersionServices,
    mods: ModLibrary,
    operations: Operations,
    metrics: RequestMetrics,
    drain: Drain,
) -> AsyncIterator[Timetable[Action]]:
    """Yield the timetable of this manager."""

    async def newer_mod_releases() -> Sequence[str]:
        return newer_mods(await mods.updates.check(await mods.game_version()))

    async def newer_game_versions() -> Sequence[str]:
        return newer_game(await versions.versions.list(refresh=True))

    run_metrics = RunMetrics(metrics)

    def observe(schedule: Kept, run: Run) -> None:
        run_metrics.observe(schedule, run)
        if run.state is RunState.FAILED:
            text = f"The schedule {schedule.name} failed: {run.text}"
            events.publish(EventKind.SCHEDULE_FAILED, text, schedule=schedule.name)

    check = UpdateCheck(events, game=newer_game_versions, mods=newer_mod_releases)
    runner = ActionRunner(game, events, backups, operations, check)
    document = Document(layout.state / "schedules.json", Timetables, default=Timetables)
    async with Timetable(document, runner, drain=drain, observe=observe) as timetable:
        yield timetable
