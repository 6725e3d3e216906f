import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Generic, Self
from uuid import UUID

import structlog

from bedplate import clock, ids
from bedplate.jobs.exceptions import ScheduleBusy, ScheduleIdle
from bedplate.jobs.outcome import Work
from bedplate.jobs.schedule import Action, MissedRuns, Run, RunState, Schedule, Trigger
from bedplate.jobs.schedule_store import ScheduleStore
from bedplate.lifecycle import Drain

MAX_SLEEP_SECONDS = 20.0
"""Seconds after which the clock is read again: that a machine slept, or that its clock was set."""

ON_TIME = timedelta(minutes=1)
"""A run that comes at most this late is not called missed."""

REPEATED_TIME = timedelta(hours=3)
"""When the clock is set back by less, no moment comes twice; by more, it counts from there."""

BUSY = "The run before it was still under way."
MISSED = "It was missed: nothing was there to run it."
TOO_LATE = "It was missed, and would have come too late."


class Scheduler(Generic[Action]):
    """Runs the schedules of a store when they are due.

    Two runs of one schedule never overlap, and a run that fails never harms the next. Every run is
    saved before it begins: one that a crash interrupts is `interrupted` after the restart. On
    leaving, runs are cancelled and awaited for `stop_seconds`; while the process drains, none
    begins by itself. Only one process may run the schedules of a document.
    """

    def __init__(
        self,
        store: ScheduleStore[Action],
        perform: "Callable[[Schedule[Action], Run], Awaitable[str | None]]",
        *,
        drain: Drain | None = None,
        observe: "Callable[[Schedule[Action], Run], None] | None" = None,
        max_run_time: timedelta = timedelta(hours=6),
        stop_seconds: float = 5.0,
    ) -> None:
        """Take the store, and the function that performs a run.

        `perform` may return a sentence on the result. It raises `RunSkipped` when there is nothing
        to do; any other exception is a failed run. `observe` receives each run that ended or was
        skipped. A run is cancelled after `max_run_time`, and has failed.
        """
        self.store = store
        self._perform = perform
        self._drain = drain or Drain()
        self._observe = observe
        self._max_run_time = max_run_time
        self._stop_seconds = stop_seconds
        self._next: dict[UUID, tuple[Schedule[Action], datetime | None]] = {}
        self._in_progress: dict[UUID, tuple[Work, asyncio.Task[Run]]] = {}
        self._unsaved: set[asyncio.Task[Run]] = set()  # runs in progress, or ended and being saved
        store.running = self._in_progress.keys()
        self._timekeeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the store and begin to run what is due. Raises `DamagedDocument`."""
        await self.store.open()
        self._timekeeper = asyncio.create_task(self._keep_time(), name="scheduler")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the runs in progress, and wait until their end is saved."""
        if self._timekeeper is not None:
            self._timekeeper.cancel()
        for work, _task in self._in_progress.values():
            work.cancel("The manager went away while it ran.")
        _done, stuck = await asyncio.wait(
            [*self._unsaved, *filter(None, [self._timekeeper])], timeout=self._stop_seconds
        )
        for task in stuck:
            task.cancel()
            structlog.get_logger().error("job_does_not_stop", job=task.get_name())

    def __len__(self) -> int:
        """Return how many runs are in progress."""
        return len(self._in_progress)

    async def run_now(self, schedule_id: UUID, *, by: str) -> Run:
        """Begin a run, also of a disabled schedule. Raises `ScheduleNotFound`, `ScheduleBusy`."""
        schedule = self.store.get(schedule_id)
        if schedule_id in self._in_progress:
            raise ScheduleBusy
        return self._begin(schedule, Trigger.MANUAL, by=by)

    async def cancel(self, schedule_id: UUID, *, by: str) -> Run:
        """Cancel the run and return its result. Raises `ScheduleNotFound`, `ScheduleIdle`."""
        in_progress = self._in_progress.get(self.store.get(schedule_id).id)
        if in_progress is None:
            raise ScheduleIdle
        work, task = in_progress
        work.cancel(f"It was cancelled by {by}.")
        return await asyncio.shield(task)

    async def _keep_time(self) -> None:
        while True:
            try:
                await self._begin_due(clock.now())
                self._next = {each.id: (each, self._due(each)) for each in self.store.schedules()}
                moments = [moment for _, moment in self._next.values() if moment is not None]
                moment = min(moments, default=None)
            except Exception as error:  # noqa: BLE001 - whatever it is, time goes on
                structlog.get_logger().error("job_failed", job="scheduler", exc_info=error)
                moment = clock.now() + timedelta(seconds=MAX_SLEEP_SECONDS)
            await wait_until(moment, self.store.changed)

    def _due(self, schedule: Schedule[Action]) -> datetime | None:
        known = self._next.get(schedule.id)
        return known[1] if known and known[0] is schedule else schedule.next_due()

    async def _begin_due(self, now: datetime) -> None:
        if self._drain.draining:
            return
        skipped = False
        for schedule in self.store.schedules():
            if schedule.counted_until - now > REPEATED_TIME:
                self.store.count(schedule, now)
            elif (moment := self._due(schedule)) is not None and moment <= now:
                skipped |= self._begin_or_skip(schedule, now)
        if skipped:
            await self.store.save()

    def _begin_or_skip(self, schedule: Schedule[Action], now: datetime) -> bool:
        """Begin or skip the run of the last moment up to `now`; return whether it is skipped."""
        due = schedule.latest_until(now) or now
        late = now - due
        reason = BUSY if schedule.id in self._in_progress else _reason_to_skip(schedule, late)
        counted = self.store.count(schedule, now)
        if reason is None:
            self._begin(counted, Trigger.SCHEDULE if late <= ON_TIME else Trigger.MISSED, due=due)
            return False
        others = {"due": due, "ended_at": clock.now(), "text": reason}
        self._report(counted, self._add_run(counted, Trigger.SCHEDULE, RunState.SKIPPED, **others))
        return True

    def _begin(self, schedule: Schedule[Action], trigger: Trigger, **others: Any) -> Run:
        run = self._add_run(schedule, trigger, RunState.RUNNING, **others)
        with structlog.contextvars.bound_contextvars(
            schedule_id=str(schedule.id), run_id=str(run.id)
        ):
            work = Work(self._save_and_perform(schedule, run), self._max_run_time)
            task = asyncio.create_task(self._finish(work, schedule, run), name=schedule.name)
        self._in_progress[schedule.id] = (work, task)
        self._unsaved.add(task)
        task.add_done_callback(self._unsaved.discard)
        return run

    def _add_run(
        self, schedule: Schedule[Action], trigger: Trigger, state: RunState, **others: Any
    ) -> Run:
        run = Run(
            id=ids.uuid(),
            schedule_id=schedule.id,
            trigger=trigger,
            state=state,
            began_at=clock.now(),
            **others,
        )
        self.store.add_run(run)
        return run

    async def _save_and_perform(self, schedule: Schedule[Action], run: Run) -> str | None:
        await self.store.save()
        return await self._perform(schedule, run)

    async def _finish(self, work: Work, schedule: Schedule[Action], run: Run) -> Run:
        outcome = await work.outcome()
        change = {"state": outcome.state, "text": outcome.text, "ended_at": clock.now()}
        ended = run.model_copy(update=change)
        self.store.replace_run(ended)
        # From here it is shown as ended, so the next may begin, whatever saving takes.
        del self._in_progress[schedule.id]
        await self.store.save()
        self._report(schedule, ended)
        return ended

    def _report(self, schedule: Schedule[Action], run: Run) -> None:
        structlog.get_logger().info("schedule_run", schedule=schedule.name, state=run.state)
        if self._observe is None:
            return
        try:
            self._observe(schedule, run)
        except Exception as error:  # noqa: BLE001 - an observer must not stop what it observes
            structlog.get_logger().error("job_failed", job="scheduler", exc_info=error)


def _reason_to_skip(schedule: Schedule[Any], late: timedelta) -> str | None:
    if late <= ON_TIME:
        return None
    if schedule.missed is MissedRuns.SKIP:
        return MISSED
    return TOO_LATE if late > timedelta(minutes=schedule.missed_within_minutes) else None


async def wait_until(moment: datetime | None, woken: asyncio.Event) -> None:
    """Return at `moment`, after `MAX_SLEEP_SECONDS`, or when `woken` is set, what comes first.

    Without a moment only `woken` ends it. It is cleared; whoever waits decides anew each time.
    """
    seconds = None if moment is None else (moment - clock.now()).total_seconds()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds and min(seconds, MAX_SLEEP_SECONDS)):
            await woken.wait()
    woken.clear()
