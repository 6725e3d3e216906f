import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Any, Generic
from uuid import UUID

import structlog

from bedplate import clock, ids
from bedplate.documents import Document, DocumentError
from bedplate.jobs.exceptions import ScheduleBusy, ScheduleNotFound, TooManySchedules
from bedplate.jobs.schedule import Action, Run, RunState, Schedule, ScheduleNew, StoredSchedules
from bedplate.problems import PreconditionFailed

INTERRUPTED = "The manager ended while it ran."


class ScheduleStore(Generic[Action]):
    """Schedules and their last runs, kept in a document. A `Scheduler` runs them.

    changed   is set when there is something new to consider
    running   schedules with a run in progress, which can't be removed; the scheduler sets it
    """

    def __init__(
        self,
        document: Document[StoredSchedules[Action]],
        *,
        max_schedules: int = 100,
        keep_runs: int = 20,
    ) -> None:
        """Take the document and its limits; `keep_runs` is for each schedule."""
        self._document = document
        self._max_schedules = max_schedules
        self._schedules: dict[UUID, Schedule[Action]] = {}
        self._writing = asyncio.Lock()
        self._keep_runs = keep_runs
        self._runs: dict[UUID, list[Run]] = {}
        self.changed = asyncio.Event()
        self.running: Collection[UUID] = ()

    async def open(self) -> None:
        """Read the document; mark the runs that a crash interrupted. Raises `DamagedDocument`."""
        stored = await self._document.read()
        self._schedules = {schedule.id: schedule for schedule in stored.schedules}
        change = {"state": RunState.INTERRUPTED, "text": INTERRUPTED, "ended_at": clock.now()}
        for run in stored.runs:
            self.add_run(run.model_copy(update=change) if run.state is RunState.RUNNING else run)
        if any(run.state is RunState.RUNNING for run in stored.runs):
            await self.save()

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
        return self._runs.get(self.get(schedule_id).id, [])[::-1]

    async def add(self, new: ScheduleNew[Action]) -> Schedule[Action]:
        """Store a new schedule and return it. Raises `TooManySchedules`, DocumentError."""
        async with self._writing:
            if len(self._schedules) >= self._max_schedules:
                raise TooManySchedules(
                    f"There can't be more than {self._max_schedules} schedules: remove one first."
                )
            now = clock.now()
            return await self._put(new, id=ids.uuid(), created_at=now, counted_until=now)

    async def replace(
        self,
        schedule_id: UUID,
        new: ScheduleNew[Action],
        *,
        versions: Collection[int] | None = None,
    ) -> Schedule[Action]:
        """Replace what a client sends of a schedule; it is due from now on.

        `versions` are those that may be replaced, None for any. A run in progress continues.
        Raises `ScheduleNotFound`, `PreconditionFailed`, DocumentError.
        """
        async with self._writing:
            old = self._get_version(schedule_id, versions)
            return await self._put(
                new,
                id=old.id,
                version=old.version + 1,
                created_at=old.created_at,
                counted_until=clock.now(),
            )

    async def remove(self, schedule_id: UUID, *, versions: Collection[int] | None = None) -> None:
        """Delete a schedule and its runs.

        Raises `ScheduleNotFound`, `ScheduleBusy`, `PreconditionFailed`, DocumentError.
        """
        async with self._writing:
            self._get_version(schedule_id, versions)
            if schedule_id in self.running:
                raise ScheduleBusy
            rest = {key: value for key, value in self._schedules.items() if key != schedule_id}
            await self._write(rest)
            del self._schedules[schedule_id]
            self._runs.pop(schedule_id, None)

    def count(self, schedule: Schedule[Action], now: datetime) -> Schedule[Action]:
        """Return the schedule with every moment up to `now` dealt with; `save` writes it."""
        counted = schedule.model_copy(update={"counted_until": now})
        self._schedules[schedule.id] = counted
        return counted

    def add_run(self, run: Run) -> None:
        """Add a run. A skip that repeats the last one is counted with it.

        The oldest of more than `keep_runs` goes, but none that is under way.
        """
        runs = self._runs.setdefault(run.schedule_id, [])
        last = runs[-1] if runs else None
        if last and run.state is last.state is RunState.SKIPPED and run.text == last.text:
            same = {"id": last.id, "began_at": last.began_at, "times": last.times + run.times}
            runs[-1] = run.model_copy(update=same)
            return
        runs.append(run)
        if len(runs) > self._keep_runs:
            oldest = next((old for old in runs if old.state is not RunState.RUNNING), runs[0])
            runs.remove(oldest)

    def replace_run(self, ended: Run) -> None:
        """Put a run in the place of the one with its id, if that is still known."""
        runs = self._runs.get(ended.schedule_id, [])
        for position, run in enumerate(runs):
            if run.id == ended.id:
                runs[position] = ended

    async def save(self) -> None:
        """Write everything. A full disk stops no run: that is only logged."""
        async with self._writing:
            try:
                await self._write(self._schedules)
            except DocumentError as error:
                structlog.get_logger().error("schedules_not_saved", reason=str(error))

    def _get_version(self, schedule_id: UUID, versions: Collection[int] | None) -> Schedule[Action]:
        schedule = self.get(schedule_id)
        if versions is not None and schedule.version not in versions:
            raise PreconditionFailed
        return schedule

    async def _put(self, new: ScheduleNew[Action], **others: Any) -> Schedule[Action]:
        fields: dict[str, Any] = {name: getattr(new, name) for name in ScheduleNew.model_fields}
        schedule = Schedule[Action].model_construct(**fields, **others)
        await self._write({**self._schedules, schedule.id: schedule})
        self._schedules[schedule.id] = schedule
        self.changed.set()
        return schedule

    async def _write(self, schedules: dict[UUID, Schedule[Action]]) -> None:
        stored = StoredSchedules[Action].model_construct(
            schedules=list(schedules.values()),
            runs=[run for runs in self._runs.values() for run in runs],
        )
        await self._document.write(stored)
