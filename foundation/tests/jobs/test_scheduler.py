"""Schedulers: schedules that are kept in a file, and run when their time has come."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field

from bedplate.documents import Document, DocumentError
from bedplate.jobs.exceptions import (
    RunSkipped,
    ScheduleBusy,
    ScheduleIdle,
    ScheduleNotFound,
    TooManySchedules,
)
from bedplate.jobs.schedule import Run, RunState, Schedule, ScheduleNew, StoredSchedules, Trigger
from bedplate.jobs.schedule_store import ScheduleStore
from bedplate.jobs.scheduler import Scheduler
from bedplate.lifecycle import Drain
from bedplate.problems import Conflict, PreconditionFailed
from bedplate.testing.clock import SettableClock

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Ring(BaseModel):
    """An action."""

    kind: Literal["ring"] = "ring"
    bell: str = "small"


class Sweep(BaseModel):
    """Another action."""

    kind: Literal["sweep"] = "sweep"


Chore = Annotated[Ring | Sweep, Field(discriminator="kind")]
New = ScheduleNew[Chore]
Record = StoredSchedules[Chore]
Done = Callable[[Schedule[Any], Run], Awaitable[str | None]]
LIMITS = {"max_schedules", "keep_runs"}
Open = Callable[..., AbstractAsyncContextManager[Scheduler[Any]]]


class Ends:
    """Receives each run that ended; a test waits for it."""

    def __init__(self) -> None:
        self.runs: asyncio.Queue[Run] = asyncio.Queue()

    def __call__(self, schedule: Schedule[Any], run: Run) -> None:
        """Keep a run that ended."""
        self.runs.put_nowait(run)

    async def next(self) -> Run:
        """Return the next run that ends."""
        async with asyncio.timeout(10):
            return await self.runs.get()


@pytest.fixture
def ends() -> Ends:
    """Give the observer of ended runs."""
    return Ends()


@pytest.fixture
def open_scheduler(tmp_path: Path, ends: Ends) -> Open:
    """Give what opens the test's scheduler, again and again."""

    @asynccontextmanager
    async def open_scheduler(perform: Done, **options: Any) -> AsyncIterator[Scheduler[Any]]:
        document: Document[Any] = Document(tmp_path / "schedules.json", Record, default=Record)
        limits = {name: options.pop(name) for name in LIMITS & options.keys()}
        store = ScheduleStore(document, **limits)
        async with Scheduler(store, perform, observe=ends, **options) as scheduler:
            yield scheduler

    return open_scheduler


async def ring(schedule: Schedule[Any], run: Run) -> str | None:
    """Do what is to be done, and say so."""
    return f"{schedule.action.kind} {getattr(schedule.action, 'bell', '')}".strip()


def daily(**changes: Any) -> ScheduleNew[Any]:
    """Return a schedule that comes each day at one in the afternoon."""
    return New(**{"name": "Bell", "cron": "0 13 * * *", "action": Ring(), **changes})


def move(scheduler: Scheduler[Any], clock: SettableClock, **time: float) -> None:
    """Let time pass, and have it noticed at once."""
    clock.advance(**time)
    scheduler.store.changed.set()


async def test_the_next_may_begin_when_one_is_shown_as_ended(
    open_scheduler: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the end of a run is saved, the next may begin: nobody is refused for one that ended."""
    async with open_scheduler(ring) as scheduler:
        schedule = await scheduler.store.add(daily())
        save = scheduler.store.save
        may_save = asyncio.Event()

        async def save_late() -> None:
            if scheduler.store.runs(schedule.id)[0].state is not RunState.RUNNING:
                await may_save.wait()
            await save()

        monkeypatch.setattr(scheduler.store, "save", save_late)
        await scheduler.run_now(schedule.id, by="a test")
        async with asyncio.timeout(10):
            while scheduler.store.runs(schedule.id)[0].state is RunState.RUNNING:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await scheduler.run_now(schedule.id, by="a test")
        may_save.set()
    ended = [run.state for run in scheduler.store.runs(schedule.id)]
    assert RunState.RUNNING not in ended
    assert len(ended) == 2


async def test_runs_when_due(open_scheduler: Open, clock: SettableClock, ends: Ends) -> None:
    """A run comes at its moment, says what came of it, and comes again the next day."""
    async with open_scheduler(ring) as scheduler:
        schedule = await scheduler.store.add(daily())
        assert schedule.next_after(clock.now()) == START + timedelta(hours=1)
        for day in (1, 2):
            move(scheduler, clock, hours=1)
            run = await ends.next()
            assert (run.state, run.trigger) == (RunState.SUCCEEDED, Trigger.SCHEDULE)
            assert (run.text, run.due) == ("ring small", clock.now())
            assert len(scheduler.store.runs(schedule.id)) == day
            move(scheduler, clock, hours=23)
        assert ends.runs.empty()


async def test_real_clock(open_scheduler: Open, ends: Ends) -> None:
    """By the machine's own clock a run comes by itself, at its moment and not before."""
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    async with open_scheduler(ring) as scheduler:
        schedule = await scheduler.store.add(daily(cron="* * * * *"))
        early = schedule.model_copy(update={"counted_until": soon})
        scheduler.store._schedules[schedule.id] = early
        scheduler._next[schedule.id] = (early, soon)
        scheduler.store.changed.set()
        run = await ends.next()
    assert run.began_at >= soon


async def test_failure_is_told_and_harms_nothing(
    open_scheduler: Open, clock: SettableClock, ends: Ends
) -> None:
    """A run that fails says why in one sentence, without secrets of unforeseen errors."""
    errors = [Conflict("The tower is closed."), ValueError("secret"), RunSkipped("It is Sunday.")]

    async def fail(schedule: Schedule[Any], run: Run) -> str | None:
        raise errors.pop(0)

    async with open_scheduler(fail) as scheduler:
        await scheduler.store.add(daily(cron="0 * * * *"))
        runs = []
        for _ in range(3):
            move(scheduler, clock, hours=1)
            run = await ends.next()
            runs.append((run.state.value, run.text))
    assert runs == [
        ("failed", "The tower is closed."),
        ("failed", "It failed unexpectedly (ValueError); the log says more."),
        ("skipped", "It is Sunday."),
    ]


async def test_no_overlap(open_scheduler: Open, clock: SettableClock, ends: Ends) -> None:
    """While a run is under way the next ones are skipped, counted as one, and then it goes on."""
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        begun.set()
        await release.wait()
        return None

    async with open_scheduler(slow) as scheduler:
        schedule = await scheduler.store.add(daily(cron="0 * * * *"))
        move(scheduler, clock, hours=1)
        await begun.wait()
        for _ in range(3):
            move(scheduler, clock, hours=1)
            assert (await ends.next()).state is RunState.SKIPPED
        with pytest.raises(ScheduleBusy):
            await scheduler.run_now(schedule.id, by="ada")
        with pytest.raises(ScheduleBusy):
            await scheduler.store.remove(schedule.id)
        release.set()
        assert (await ends.next()).state is RunState.SUCCEEDED
        skipped, done = scheduler.store.runs(schedule.id)
        assert (skipped.times, skipped.state) == (3, RunState.SKIPPED)
        assert done.state is RunState.SUCCEEDED
        move(scheduler, clock, hours=1)
        assert (await ends.next()).state is RunState.SUCCEEDED


@pytest.mark.parametrize(
    ("changes", "hours_away", "state", "trigger"),
    [
        ({"missed": "skip"}, 2, RunState.SKIPPED, Trigger.SCHEDULE),
        (
            {"missed": "run_once", "missed_within_minutes": 59},
            2,
            RunState.SKIPPED,
            Trigger.SCHEDULE,
        ),
        (
            {"missed": "run_once", "missed_within_minutes": 60},
            2,
            RunState.SUCCEEDED,
            Trigger.MISSED,
        ),
        (
            {"missed": "run_once", "missed_within_minutes": 120},
            74,
            RunState.SUCCEEDED,
            Trigger.MISSED,
        ),
    ],
)
async def test_missed_runs(
    open_scheduler: Open,
    clock: SettableClock,
    ends: Ends,
    changes: dict[str, Any],
    hours_away: int,
    state: RunState,
    trigger: Trigger,
) -> None:
    """What was missed while the process was away is skipped, or comes once if not too late."""
    async with open_scheduler(ring) as scheduler:
        await scheduler.store.add(daily(**changes))
    clock.advance(hours=hours_away)
    async with open_scheduler(ring):
        run = await ends.next()
        assert (run.state, run.trigger) == (state, trigger)
        assert run.due == clock.now() - timedelta(hours=1)
    async with open_scheduler(ring):
        assert ends.runs.empty()


async def test_asleep(open_scheduler: Open, clock: SettableClock, ends: Ends) -> None:
    """When the clock jumps far ahead, what was passed over comes to one run at most."""
    async with open_scheduler(ring) as scheduler:
        await scheduler.store.add(daily(missed="run_once", missed_within_minutes=60))
        move(scheduler, clock, hours=73, minutes=30)
        run = await ends.next()
        assert (run.trigger, run.due) == (Trigger.MISSED, START + timedelta(days=3, hours=1))
    assert ends.runs.empty()


async def test_clock_set_back(open_scheduler: Open, clock: SettableClock, ends: Ends) -> None:
    """Set back a little nothing comes twice; set back by a year it counts from there."""
    async with open_scheduler(ring) as scheduler:
        await scheduler.store.add(daily())
        move(scheduler, clock, hours=1)
        await ends.next()
        clock.set(START + timedelta(minutes=50))
        scheduler.store.changed.set()
        move(scheduler, clock, minutes=20)
        clock.set(START - timedelta(days=365))
        scheduler.store.changed.set()
        await asyncio.sleep(0)
        assert ends.runs.empty()
        move(scheduler, clock, hours=1)
        assert (await ends.next()).due == START - timedelta(days=365) + timedelta(hours=1)


async def test_kept(open_scheduler: Open, clock: SettableClock, ends: Ends) -> None:
    """Schedules, their actions and their runs are there after a restart."""
    async with open_scheduler(ring) as scheduler:
        first = await scheduler.store.add(daily(action=Ring(bell="great")))
        second = await scheduler.store.add(daily(name="Floor", zone="Asia/Tokyo", action=Sweep()))
        await scheduler.run_now(first.id, by="ada")
        await ends.next()
        runs = scheduler.store.runs(first.id)
    async with open_scheduler(ring) as scheduler:
        assert scheduler.store.schedules() == [first, second]
        assert scheduler.store.runs(first.id) == runs
        assert (runs[0].by, runs[0].due, runs[0].trigger) == ("ada", None, Trigger.MANUAL)


async def test_interrupted_by_leaving(
    open_scheduler: Open, clock: SettableClock, ends: Ends
) -> None:
    """A run that is under way when the process goes away is cancelled, and kept as interrupted."""
    forever = asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        await forever.wait()
        return None

    async with open_scheduler(slow) as scheduler:
        schedule = await scheduler.store.add(daily())
        await scheduler.run_now(schedule.id, by="ada")
    async with open_scheduler(slow) as scheduler:
        (run,) = scheduler.store.runs(schedule.id)
        assert (run.state, run.ended_at) == (RunState.INTERRUPTED, clock.now())


async def test_interrupted_by_a_kill(tmp_path: Path) -> None:
    """A run under way when the process is killed is interrupted once another one takes over."""
    file = tmp_path / "schedules.json"
    program = Path(__file__).with_name("scheduler_program.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, file, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        schedule_id = UUID((await process.stdout.readline()).decode().strip())
    process.kill()
    await process.wait()
    record: Any = StoredSchedules[Any]
    for _ in range(2):
        store = ScheduleStore(Document(file, record, default=record))
        async with Scheduler(store, ring) as scheduler:
            (run,) = scheduler.store.runs(schedule_id)
            assert (run.state, run.by) == (RunState.INTERRUPTED, "ada")
            assert run.ended_at is not None


async def test_written_before_it_begins(tmp_path: Path, open_scheduler: Open, ends: Ends) -> None:
    """When an action begins, the document already shows its run."""

    async def look(schedule: Schedule[Any], run: Run) -> str | None:
        assert str(run.id) in (tmp_path / "schedules.json").read_text()
        return None

    async with open_scheduler(look) as scheduler:
        await scheduler.run_now((await scheduler.store.add(daily())).id, by="ada")
        assert (await ends.next()).state is RunState.SUCCEEDED


async def test_cancel(open_scheduler: Open, ends: Ends) -> None:
    """A run can be cancelled, also before it took its first step; then there is none to cancel."""
    forever = asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        await forever.wait()
        return None

    async with open_scheduler(slow) as scheduler:
        schedule = await scheduler.store.add(daily(enabled=False))
        await scheduler.run_now(schedule.id, by="ada")
        run = await scheduler.cancel(schedule.id, by="grace")
        assert (run.state, run.text) == (RunState.INTERRUPTED, "It was cancelled by grace.")
        assert schedule.id not in scheduler.store.running
        with pytest.raises(ScheduleIdle):
            await scheduler.cancel(schedule.id, by="grace")


async def test_a_run_that_takes_too_long(open_scheduler: Open, ends: Ends) -> None:
    """A run that takes too long is cancelled, and has failed."""
    forever = asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        await forever.wait()
        return None

    async with open_scheduler(slow, max_run_time=timedelta(milliseconds=20)) as scheduler:
        await scheduler.run_now((await scheduler.store.add(daily())).id, by="ada")
        run = await ends.next()
    assert (run.state, run.text) == (RunState.FAILED, "It took too long, and was cancelled.")


async def test_nothing_begins_while_draining(
    open_scheduler: Open, clock: SettableClock, ends: Ends
) -> None:
    """A process that goes away begins no run."""
    drain = Drain()
    async with open_scheduler(ring, drain=drain) as scheduler:
        await scheduler.store.add(daily())
        drain.begin()
        move(scheduler, clock, hours=1)
        await asyncio.sleep(0)
        assert len(scheduler) == 0
    assert ends.runs.empty()


async def test_versions(open_scheduler: Open) -> None:
    """A schedule is replaced or removed only as the version that its client knows."""
    async with open_scheduler(ring) as scheduler:
        schedule = await scheduler.store.add(daily())
        changed = await scheduler.store.replace(schedule.id, daily(name="New"), versions=[1])
        assert (changed.version, changed.name) == (2, "New")
        with pytest.raises(PreconditionFailed):
            await scheduler.store.replace(schedule.id, daily(), versions=[1])
        with pytest.raises(PreconditionFailed):
            await scheduler.store.remove(schedule.id, versions=[1])
        await scheduler.store.remove(schedule.id, versions=[2])
        for ask in (scheduler.store.get, scheduler.store.runs):
            with pytest.raises(ScheduleNotFound):
                ask(schedule.id)
        with pytest.raises(ScheduleNotFound):
            await scheduler.run_now(uuid4(), by="ada")


async def test_bounds(open_scheduler: Open, clock: SettableClock, ends: Ends) -> None:
    """Schedules and the runs of each are bounded."""
    async with open_scheduler(ring, max_schedules=2, keep_runs=3) as scheduler:
        schedule = await scheduler.store.add(daily())
        await scheduler.store.add(daily())
        with pytest.raises(TooManySchedules):
            await scheduler.store.add(daily())
        for _ in range(5):
            await scheduler.run_now(schedule.id, by="ada")
            last = await ends.next()
        assert len(scheduler.store.runs(schedule.id)) == 3
        assert scheduler.store.runs(schedule.id)[0].id == last.id


async def test_changes_race(open_scheduler: Open, ends: Ends) -> None:
    """Many changes and runs at once lose nothing, in memory and in the file."""
    async with open_scheduler(ring) as scheduler:
        added = await asyncio.gather(*(scheduler.store.add(daily(name=f"B{n}")) for n in range(20)))
        works = [scheduler.store.remove(schedule.id) for schedule in added[:5]]
        renames = [scheduler.store.replace(item.id, daily(name="Again")) for item in added[5:10]]
        runs = [scheduler.run_now(item.id, by="ada") for item in added[10:]]
        await asyncio.gather(*works, *renames, *runs)
        for _ in range(10):
            await ends.next()
        kept = scheduler.store.schedules()
    assert {item.id for item in kept} == {item.id for item in added[5:]}
    async with open_scheduler(ring) as scheduler:
        assert scheduler.store.schedules() == kept
        assert all(len(scheduler.store.runs(item.id)) == 1 for item in added[10:])


async def test_full_disk(tmp_path: Path, open_scheduler: Open, ends: Ends) -> None:
    """A change that can't be written is refused and forgotten; runs come all the same."""
    file = tmp_path / "schedules.json"
    async with open_scheduler(ring) as scheduler:
        schedule = await scheduler.store.add(daily())
        file.unlink()
        file.mkdir()
        with pytest.raises(DocumentError):
            await scheduler.store.add(daily())
        assert scheduler.store.schedules() == [schedule]
        await scheduler.run_now(schedule.id, by="ada")
        assert (await ends.next()).state is RunState.SUCCEEDED


async def test_watcher_that_fails(tmp_path: Path, ends: Ends) -> None:
    """Who watches and fails doesn't keep runs from their end."""
    document: Document[Any] = Document(tmp_path / "schedules.json", Record, default=Record)

    def fail(schedule: Schedule[Any], run: Run) -> None:
        ends(schedule, run)
        raise ValueError

    async with Scheduler(ScheduleStore(document), ring, observe=fail) as scheduler:
        schedule = await scheduler.store.add(daily())
        await scheduler.run_now(schedule.id, by="ada")
        await ends.next()
        assert scheduler.store.runs(schedule.id)[0].state is RunState.SUCCEEDED
