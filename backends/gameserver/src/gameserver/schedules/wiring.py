import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from bedplate.documents import Document
from bedplate.jobs.metrics import RunMetrics
from bedplate.jobs.schedule import Run, RunState
from bedplate.jobs.schedule_store import ScheduleStore
from bedplate.jobs.scheduler import Scheduler
from bedplate.lifecycle import Drain
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state
from gameserver.backups.wiring import BackupServices
from gameserver.events import EventKind, Events
from gameserver.layout import Layout
from gameserver.mods.service import ModLibrary
from gameserver.operations.service import Operations
from gameserver.process.game import Game
from gameserver.schedules.schemas import Action, Kept, StoredSchedules
from gameserver.schedules.service import ActionRunner
from gameserver.schedules.updates import UpdateCheck, newer_game, newer_mods
from gameserver.versions.wiring import VersionServices

CurrentScheduler = Annotated[Scheduler[Action], from_state(Scheduler[Action])]


@contextlib.asynccontextmanager
async def open_scheduler(
    layout: Layout,
    events: Events,
    game: Game,
    backups: BackupServices,
    versions: VersionServices,
    mods: ModLibrary,
    operations: Operations,
    metrics: RequestMetrics,
    drain: Drain,
) -> AsyncIterator[Scheduler[Action]]:
    """Yield the scheduler, which begins to run what is due."""

    async def newer_mod_releases() -> Sequence[str]:
        return newer_mods(await mods.updates())

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
    document = Document(layout.state / "schedules.json", StoredSchedules, default=StoredSchedules)
    store = ScheduleStore(document)
    async with Scheduler(store, runner, drain=drain, observe=observe) as scheduler:
        yield scheduler
