"""A timetable: schedules that are kept in a file, and run when their time has come."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Generic, Self
from uuid import UUID

import structlog

from bedplate import clock, ids
from bedplate.documents import Document, DocumentError
from bedplate.jobs.alarm import MAX_SLEEP_SECONDS, Alarm
from bedplate.jobs.due import Due, clock_was_set_back, decide
from bedplate.jobs.exceptions import (
    ScheduleBusy,
    ScheduleIdle,
    ScheduleNotFound,
    TooManySchedules,
)
from bedplate.jobs.history import History
from bedplate.jobs.outcome import Work
from bedplate.jobs.schedule import (
    Action,
    Run,
    RunState,
    Schedule,
    ScheduleNew,
    TimetableRecord,
    Trigger,
)
from bedplate.lifecycle import Drain
from bedplate.problems import PreconditionFailed


class Timetable(Generic[Action]):
    """Schedules that are kept in a document, and run when their time has come.

    ```python
    async with Timetable(document, perform, drain=drain) as timetable:
        await timetable.add(ScheduleNew[Action](name="Backup", cron="0 4 * * *", action=…))
    ```

    Two runs of one schedule never overlap, and a run that fails never harms the next. Every run is
    written down before it begins: one that a crash cut short is `interrupted` after the restart.
    On leaving, runs are cancelled and awaited for `stop_seconds`; while the process drains, none
    begins by itself. One process may keep a timetable, not two.
    """

    def __init__(
        self,
        document: Document[TimetableRecord[Action]],
        perform: "Callable[[Schedule[Action], Run], Awaitable[str | None]]",
        *,
        drain: Drain | None = None,
        observe: "Callable[[Schedule[Action], Run], None] | None" = None,
        most_schedules: int = 100,
        runs_kept: int = 20,
        longest_run: timedelta = timedelta(hours=6),
        stop_seconds: float = 5.0,
    ) -> None:
        """Take what the schedules are kept in, and what carries a run out.

        `perform` may return a sentence on what came of the run. It raises `RunSkipped` when there
        is nothing to do; any other exception is a failed run. `observe` receives each run that
        ended or was skipped. `runs_kept` is for each schedule. A run is cancelled after
        `longest_run`, and has failed.
        """
        self._document = document
        self._perform = perform
        self._drain = drain or Drain()
        self._observe = observe
        self._most_schedules = most_schedules
        self._longest_run = longest_run
        self._stop_seconds = stop_seconds
        self._schedules: dict[UUID, Schedule[Action]] = {}
        self._history = History(runs_kept)
        self._next: dict[UUID, tuple[Schedule[Action], datetime | None]] = {}
        self._under_way: dict[UUID, tuple[Work, asyncio.Task[Run]]] = {}
        self._writing = asyncio.Lock()
        self._alarm = Alarm()
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Read the document, mark what a crash cut short, and begin to keep time.

        Raises `bedplate.documents.DamagedDocument`.
        """
        record = await self._document.read()
        self._schedules = {schedule.id: schedule for schedule in record.schedules}
        if self._history.load(record.runs, clock.now()):
            await self._save()
        self._keeper = asyncio.create_task(self._keep_time(), name="timetable")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cancel what runs, and wait for its end."""
        if self._keeper is not None:
            self._keeper.cancel()
        for work, _ in self._under_way.values():
            work.cancel("The manager went away while it ran.")
        ending = [task for _, task in self._under_way.values()]
        _, stuck = await asyncio.wait(
            [*ending, *filter(None, [self._keeper])], timeout=self._stop_seconds
        )
        for task in stuck:
            task.cancel()
            structlog.get_logger().error("job_does_not_stop", job=task.get_name())

    # What is asked of it

    def schedules(self) -> list[Schedule[Action]]:
        """Return all schedules, the oldest first."""
        return list(self._schedules.values())

    def get(self, schedule_id: UUID) -> Schedule[Action]:
        """Return a schedule. Raises `ScheduleNotFound`."""
        try:
            return self._schedules[schedule_id]
        except KeyError:
            raise ScheduleNotFound from None

    def runs(self, schedule_id: UUID) -> list[Run]:
        """Return a schedule's last runs, the newest first. Raises `ScheduleNotFound`."""
        return self._history.of(self.get(schedule_id).id)

    def running(self, schedule_id: UUID) -> bool:
        """Return whether a run is under way."""
        return schedule_id in self._under_way

    def __len__(self) -> int:
        """Return how many runs are under way."""
        return len(self._under_way)

    def wake(self) -> None:
        """Consider at once what is due: for who has set the clock."""
        self._alarm.wake()

    # What is changed

    async def add(self, new: ScheduleNew[Action]) -> Schedule[Action]:
        """Keep a new schedule, and return it. Raises `TooManySchedules`, DocumentError."""
        async with self._writing:
            if len(self._schedules) >= self._most_schedules:
                raise TooManySchedules(self._most_schedules)
            now = clock.now()
            schedule = self._made(new, id=ids.uuid(), created_at=now, counted_until=now)
            await self._write({**self._schedules, schedule.id: schedule})
            self._schedules[schedule.id] = schedule
        self._alarm.wake()
        return schedule

    async def replace(
        self,
        schedule_id: UUID,
        new: ScheduleNew[Action],
        *,
        versions: Collection[int] | None = None,
    ) -> Schedule[Action]:
        """Replace what a client sends of a schedule; its moments count from now on.

        `versions` are those that may be replaced, None for any. A run that is under way goes on.
        Raises `ScheduleNotFound`, `PreconditionFailed`, DocumentError.
        """
        async with self._writing:
            old = self._get_version(schedule_id, versions)
            schedule = self._made(
                new,
                id=old.id,
                version=old.version + 1,
                created_at=old.created_at,
                counted_until=clock.now(),
            )
            await self._write({**self._schedules, schedule.id: schedule})
            self._schedules[schedule.id] = schedule
        self._alarm.wake()
        return schedule

    async def remove(self, schedule_id: UUID, *, versions: Collection[int] | None = None) -> None:
        """Forget a schedule and its runs.

        Raises `ScheduleNotFound`, `ScheduleBusy`, `PreconditionFailed`, DocumentError.
        """
        async with self._writing:
            self._get_version(schedule_id, versions)
            if schedule_id in self._under_way:
                raise ScheduleBusy
            rest = {key: kept for key, kept in self._schedules.items() if key != schedule_id}
            await self._write(rest)
            del self._schedules[schedule_id]
            self._history.forget(schedule_id)
            self._next.pop(schedule_id, None)

    async def run_now(self, schedule_id: UUID, *, by: str) -> Run:
        """Begin a run at once, also of a schedule that is off, and return it.

        Raises `ScheduleNotFound`, `ScheduleBusy`.
        """
        schedule = self.get(schedule_id)
        if schedule_id in self._under_way:
            raise ScheduleBusy
        return self._begin(schedule, Trigger.MANUAL, by=by)

    async def cancel(self, schedule_id: UUID, *, by: str) -> Run:
        """Cancel the run that is under way, and return what became of it.

        Raises `ScheduleNotFound`, `ScheduleIdle`.
        """
        under_way = self._under_way.get(self.get(schedule_id).id)
        if under_way is None:
            raise ScheduleIdle
        work, task = under_way
        work.cancel(f"It was cancelled by {by}.")
        return await asyncio.shield(task)

    def _get_version(self, schedule_id: UUID, versions: Collection[int] | None) -> Schedule[Action]:
        schedule = self.get(schedule_id)
        if versions is not None and schedule.version not in versions:
            raise PreconditionFailed
        return schedule

    def _made(self, new: ScheduleNew[Action], **kept: Any) -> Schedule[Action]:
        fields: dict[str, Any] = {name: getattr(new, name) for name in ScheduleNew.model_fields}
        return Schedule[Action].model_construct(**fields, **kept)

    async def _write(self, schedules: dict[UUID, Schedule[Action]]) -> None:
        record = TimetableRecord[Action].model_construct(
            schedules=list(schedules.values()), runs=self._history.all()
        )
        await self._document.write(record)

    async def _save(self) -> None:
        """Write everything down. What runs doesn't stop for a full disk: that is only logged."""
        async with self._writing:
            try:
                await self._write(self._schedules)
            except DocumentError as error:
                structlog.get_logger().error("timetable_not_saved", reason=str(error))

    # What time brings

    async def _keep_time(self) -> None:
        while True:
            try:
                await self._begin_due(clock.now())
                moment = self._next_moment()
            except Exception as error:  # noqa: BLE001 - whatever it is, time goes on
                structlog.get_logger().error("job_failed", job="timetable", exc_info=error)
                moment = clock.now() + timedelta(seconds=MAX_SLEEP_SECONDS)
            await self._alarm.wait_until(moment)

    def _next_moment(self) -> datetime | None:
        moments = [self._next_due(schedule) for schedule in self._schedules.values()]
        return min((moment for moment in moments if moment is not None), default=None)

    def _next_due(self, schedule: Schedule[Action]) -> datetime | None:
        known = self._next.get(schedule.id)
        if known is None or known[0] is not schedule:
            known = self._next[schedule.id] = (schedule, schedule.next_due())
        return known[1]

    async def _begin_due(self, now: datetime) -> None:
        if self._drain.draining:
            return
        skipped = False
        for schedule in list(self._schedules.values()):
            if clock_was_set_back(schedule, now):
                self._count(schedule, now)
            elif (moment := self._next_due(schedule)) is not None and moment <= now:
                due = decide(schedule, now, busy=schedule.id in self._under_way)
                skipped |= due.skipped is not None
                self._deal_with(self._count(schedule, now), due)
        if skipped:
            await self._save()

    def _count(self, schedule: Schedule[Action], now: datetime) -> Schedule[Action]:
        counted = schedule.model_copy(update={"counted_until": now})
        self._schedules[schedule.id] = counted
        return counted

    def _deal_with(self, schedule: Schedule[Action], due: Due) -> None:
        if due.skipped is None:
            self._begin(schedule, due.trigger, due=due.at)
            return
        run = self._run(
            schedule,
            due.trigger,
            RunState.SKIPPED,
            due=due.at,
            ended_at=clock.now(),
            text=due.skipped,
        )
        self._history.add(run)
        self._tell(schedule, run)

    # A run

    def _begin(
        self,
        schedule: Schedule[Action],
        trigger: Trigger,
        *,
        due: datetime | None = None,
        by: str | None = None,
    ) -> Run:
        run = self._run(schedule, trigger, RunState.RUNNING, due=due, by=by)
        self._history.add(run)
        with structlog.contextvars.bound_contextvars(
            schedule_id=str(schedule.id), run_id=str(run.id)
        ):
            work = Work(self._performed(schedule, run), self._longest_run)
            task = asyncio.create_task(self._see_to(work, schedule, run), name=schedule.name)
        self._under_way[schedule.id] = (work, task)
        return run

    def _run(
        self, schedule: Schedule[Action], trigger: Trigger, state: RunState, **more: Any
    ) -> Run:
        return Run(
            id=ids.uuid(),
            schedule_id=schedule.id,
            trigger=trigger,
            state=state,
            began_at=clock.now(),
            **more,
        )

    async def _performed(self, schedule: Schedule[Action], run: Run) -> str | None:
        await self._save()
        return await self._perform(schedule, run)

    async def _see_to(self, work: Work, schedule: Schedule[Action], run: Run) -> Run:
        outcome = await work.outcome()
        change = {"state": outcome.state, "text": outcome.text, "ended_at": clock.now()}
        ended = run.model_copy(update=change)
        self._history.replace(ended)
        await self._save()
        del self._under_way[schedule.id]
        self._tell(schedule, ended)
        return ended

    def _tell(self, schedule: Schedule[Action], run: Run) -> None:
        structlog.get_logger().info("schedule_run", schedule=schedule.name, state=run.state)
        if self._observe is None:
            return
        try:
            self._observe(schedule, run)
        except Exception as error:  # noqa: BLE001 - who watches must not stop what is watched
            structlog.get_logger().error("job_failed", job="timetable", exc_info=error)
