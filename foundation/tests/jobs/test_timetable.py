"""Timetables: schedules that are kept in a file, and run when their time has come."""

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
from bedplate.jobs.schedule import Run, RunState, Schedule, ScheduleNew, TimetableRecord, Trigger
from bedplate.jobs.timetable import Timetable
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
Record = TimetableRecord[Chore]
Done = Callable[[Schedule[Any], Run], Awaitable[str | None]]
Open = Callable[..., AbstractAsyncContextManager[Timetable[Any]]]


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
def open_timetable(tmp_path: Path, ends: Ends) -> Open:
    """Give what opens the test's timetable, again and again."""

    @asynccontextmanager
    async def open_timetable(perform: Done, **options: Any) -> AsyncIterator[Timetable[Any]]:
        document: Document[Any] = Document(tmp_path / "timetable.json", Record, default=Record)
        async with Timetable(document, perform, observe=ends, **options) as timetable:
            yield timetable

    return open_timetable


async def ring(schedule: Schedule[Any], run: Run) -> str | None:
    """Do what is to be done, and say so."""
    return f"{schedule.action.kind} {getattr(schedule.action, 'bell', '')}".strip()


def daily(**changes: Any) -> ScheduleNew[Any]:
    """Return a schedule that comes each day at one in the afternoon."""
    return New(**{"name": "Bell", "cron": "0 13 * * *", "action": Ring(), **changes})


def move(timetable: Timetable[Any], clock: SettableClock, **time: float) -> None:
    """Let time pass, and have it noticed at once."""
    clock.advance(**time)
    timetable.wake()


async def test_runs_when_due(open_timetable: Open, clock: SettableClock, ends: Ends) -> None:
    """A run comes at its moment, says what came of it, and comes again the next day."""
    async with open_timetable(ring) as timetable:
        schedule = await timetable.add(daily())
        assert schedule.next_after(clock.now()) == START + timedelta(hours=1)
        for day in (1, 2):
            move(timetable, clock, hours=1)
            run = await ends.next()
            assert (run.state, run.trigger) == (RunState.SUCCEEDED, Trigger.SCHEDULE)
            assert (run.text, run.due) == ("ring small", clock.now())
            assert len(timetable.runs(schedule.id)) == day
            move(timetable, clock, hours=23)
        assert ends.runs.empty()


async def test_real_clock(open_timetable: Open, ends: Ends) -> None:
    """By the machine's own clock a run comes by itself, at its moment and not before."""
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    async with open_timetable(ring) as timetable:
        schedule = await timetable.add(daily(cron="* * * * *"))
        early = schedule.model_copy(update={"counted_until": soon})
        timetable._schedules[schedule.id] = early
        timetable._next[schedule.id] = (early, soon)
        timetable.wake()
        run = await ends.next()
    assert run.began_at >= soon


async def test_failure_is_told_and_harms_nothing(
    open_timetable: Open, clock: SettableClock, ends: Ends
) -> None:
    """A run that fails says why in one sentence, without secrets of unforeseen errors."""
    errors = [Conflict("The tower is closed."), ValueError("secret"), RunSkipped("It is Sunday.")]

    async def fail(schedule: Schedule[Any], run: Run) -> str | None:
        raise errors.pop(0)

    async with open_timetable(fail) as timetable:
        await timetable.add(daily(cron="0 * * * *"))
        runs = []
        for _ in range(3):
            move(timetable, clock, hours=1)
            run = await ends.next()
            runs.append((run.state.value, run.text))
    assert runs == [
        ("failed", "The tower is closed."),
        ("failed", "It failed unexpectedly (ValueError); the log says more."),
        ("skipped", "It is Sunday."),
    ]


async def test_no_overlap(open_timetable: Open, clock: SettableClock, ends: Ends) -> None:
    """While a run is under way the next ones are skipped, counted as one, and then it goes on."""
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        begun.set()
        await release.wait()
        return None

    async with open_timetable(slow) as timetable:
        schedule = await timetable.add(daily(cron="0 * * * *"))
        move(timetable, clock, hours=1)
        await begun.wait()
        for _ in range(3):
            move(timetable, clock, hours=1)
            assert (await ends.next()).state is RunState.SKIPPED
        with pytest.raises(ScheduleBusy):
            await timetable.run_now(schedule.id, by="ada")
        with pytest.raises(ScheduleBusy):
            await timetable.remove(schedule.id)
        release.set()
        assert (await ends.next()).state is RunState.SUCCEEDED
        skipped, done = timetable.runs(schedule.id)
        assert (skipped.times, skipped.state) == (3, RunState.SKIPPED)
        assert done.state is RunState.SUCCEEDED
        move(timetable, clock, hours=1)
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
    open_timetable: Open,
    clock: SettableClock,
    ends: Ends,
    changes: dict[str, Any],
    hours_away: int,
    state: RunState,
    trigger: Trigger,
) -> None:
    """What was missed while the process was away is skipped, or comes once if not too late."""
    async with open_timetable(ring) as timetable:
        await timetable.add(daily(**changes))
    clock.advance(hours=hours_away)
    async with open_timetable(ring):
        run = await ends.next()
        assert (run.state, run.trigger) == (state, trigger)
        assert run.due == clock.now() - timedelta(hours=1)
    async with open_timetable(ring):
        assert ends.runs.empty()


async def test_asleep(open_timetable: Open, clock: SettableClock, ends: Ends) -> None:
    """When the clock jumps far ahead, what was passed over comes to one run at most."""
    async with open_timetable(ring) as timetable:
        await timetable.add(daily(missed="run_once", missed_within_minutes=60))
        move(timetable, clock, hours=73, minutes=30)
        run = await ends.next()
        assert (run.trigger, run.due) == (Trigger.MISSED, START + timedelta(days=3, hours=1))
    assert ends.runs.empty()


async def test_clock_set_back(open_timetable: Open, clock: SettableClock, ends: Ends) -> None:
    """Set back a little nothing comes twice; set back by a year it counts from there."""
    async with open_timetable(ring) as timetable:
        await timetable.add(daily())
        move(timetable, clock, hours=1)
        await ends.next()
        clock.set(START + timedelta(minutes=50))
        timetable.wake()
        move(timetable, clock, minutes=20)
        clock.set(START - timedelta(days=365))
        timetable.wake()
        await asyncio.sleep(0)
        assert ends.runs.empty()
        move(timetable, clock, hours=1)
        assert (await ends.next()).due == START - timedelta(days=365) + timedelta(hours=1)


async def test_kept(open_timetable: Open, clock: SettableClock, ends: Ends) -> None:
    """Schedules, their actions and their runs are there after a restart."""
    async with open_timetable(ring) as timetable:
        first = await timetable.add(daily(action=Ring(bell="great")))
        second = await timetable.add(daily(name="Floor", zone="Asia/Tokyo", action=Sweep()))
        await timetable.run_now(first.id, by="ada")
        await ends.next()
        runs = timetable.runs(first.id)
    async with open_timetable(ring) as timetable:
        assert timetable.schedules() == [first, second]
        assert timetable.runs(first.id) == runs
        assert (runs[0].by, runs[0].due, runs[0].trigger) == ("ada", None, Trigger.MANUAL)


async def test_interrupted_by_leaving(
    open_timetable: Open, clock: SettableClock, ends: Ends
) -> None:
    """A run that is under way when the process goes away is cancelled, and kept as interrupted."""
    forever = asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        await forever.wait()
        return None

    async with open_timetable(slow) as timetable:
        schedule = await timetable.add(daily())
        await timetable.run_now(schedule.id, by="ada")
    async with open_timetable(slow) as timetable:
        (run,) = timetable.runs(schedule.id)
        assert (run.state, run.ended_at) == (RunState.INTERRUPTED, clock.now())


async def test_interrupted_by_a_kill(tmp_path: Path) -> None:
    """A run under way when the process is killed is interrupted once another one takes over."""
    file = tmp_path / "timetable.json"
    program = Path(__file__).with_name("timetable_program.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, file, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        schedule_id = UUID((await process.stdout.readline()).decode().strip())
    process.kill()
    await process.wait()
    record: Any = TimetableRecord[Any]
    for _ in range(2):
        async with Timetable(Document(file, record, default=record), ring) as timetable:
            (run,) = timetable.runs(schedule_id)
            assert (run.state, run.by) == (RunState.INTERRUPTED, "ada")
            assert run.ended_at is not None


async def test_written_before_it_begins(tmp_path: Path, open_timetable: Open, ends: Ends) -> None:
    """When an action begins, the document already shows its run."""

    async def look(schedule: Schedule[Any], run: Run) -> str | None:
        assert str(run.id) in (tmp_path / "timetable.json").read_text()
        return None

    async with open_timetable(look) as timetable:
        await timetable.run_now((await timetable.add(daily())).id, by="ada")
        assert (await ends.next()).state is RunState.SUCCEEDED


async def test_cancel(open_timetable: Open, ends: Ends) -> None:
    """A run can be cancelled, also before it took its first step; then there is none to cancel."""
    forever = asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        await forever.wait()
        return None

    async with open_timetable(slow) as timetable:
        schedule = await timetable.add(daily(enabled=False))
        await timetable.run_now(schedule.id, by="ada")
        run = await timetable.cancel(schedule.id, by="grace")
        assert (run.state, run.text) == (RunState.INTERRUPTED, "It was cancelled by grace.")
        assert not timetable.running(schedule.id)
        with pytest.raises(ScheduleIdle):
            await timetable.cancel(schedule.id, by="grace")


async def test_longest_run(open_timetable: Open, ends: Ends) -> None:
    """A run that takes too long is cancelled, and has failed."""
    forever = asyncio.Event()

    async def slow(schedule: Schedule[Any], run: Run) -> str | None:
        await forever.wait()
        return None

    async with open_timetable(slow, longest_run=timedelta(milliseconds=20)) as timetable:
        await timetable.run_now((await timetable.add(daily())).id, by="ada")
        run = await ends.next()
    assert (run.state, run.text) == (RunState.FAILED, "It took too long, and was cancelled.")


async def test_nothing_begins_while_draining(
    open_timetable: Open, clock: SettableClock, ends: Ends
) -> None:
    """A process that goes away begins no run."""
    drain = Drain()
    async with open_timetable(ring, drain=drain) as timetable:
        await timetable.add(daily())
        drain.begin()
        move(timetable, clock, hours=1)
        await asyncio.sleep(0)
        assert len(timetable) == 0
    assert ends.runs.empty()


async def test_versions(open_timetable: Open) -> None:
    """A schedule is replaced or removed only as the version that its client knows."""
    async with open_timetable(ring) as timetable:
        schedule = await timetable.add(daily())
        changed = await timetable.replace(schedule.id, daily(name="New"), versions=[1])
        assert (changed.version, changed.name) == (2, "New")
        with pytest.raises(PreconditionFailed):
            await timetable.replace(schedule.id, daily(), versions=[1])
        with pytest.raises(PreconditionFailed):
            await timetable.remove(schedule.id, versions=[1])
        await timetable.remove(schedule.id, versions=[2])
        for ask in (timetable.get, timetable.runs):
            with pytest.raises(ScheduleNotFound):
                ask(schedule.id)
        with pytest.raises(ScheduleNotFound):
            await timetable.run_now(uuid4(), by="ada")


async def test_bounds(open_timetable: Open, clock: SettableClock, ends: Ends) -> None:
    """Schedules and the runs of each are bounded."""
    async with open_timetable(ring, most_schedules=2, runs_kept=3) as timetable:
        schedule = await timetable.add(daily())
        await timetable.add(daily())
        with pytest.raises(TooManySchedules):
            await timetable.add(daily())
        for _ in range(5):
            await timetable.run_now(schedule.id, by="ada")
            last = await ends.next()
        assert len(timetable.runs(schedule.id)) == 3
        assert timetable.runs(schedule.id)[0].id == last.id


async def test_changes_race(open_timetable: Open, ends: Ends) -> None:
    """Many changes and runs at once lose nothing, in memory and in the file."""
    async with open_timetable(ring) as timetable:
        added = await asyncio.gather(*(timetable.add(daily(name=f"B{n}")) for n in range(20)))
        works = [timetable.remove(schedule.id) for schedule in added[:5]]
        renames = [timetable.replace(item.id, daily(name="Again")) for item in added[5:10]]
        runs = [timetable.run_now(item.id, by="ada") for item in added[10:]]
        await asyncio.gather(*works, *renames, *runs)
        for _ in range(10):
            await ends.next()
        kept = timetable.schedules()
    assert {item.id for item in kept} == {item.id for item in added[5:]}
    async with open_timetable(ring) as timetable:
        assert timetable.schedules() == kept
        assert all(len(timetable.runs(item.id)) == 1 for item in added[10:])


async def test_full_disk(tmp_path: Path, open_timetable: Open, ends: Ends) -> None:
    """A change that can't be written is refused and forgotten; runs come all the same."""
    file = tmp_path / "timetable.json"
    async with open_timetable(ring) as timetable:
        schedule = await timetable.add(daily())
        file.unlink()
        file.mkdir()
        with pytest.raises(DocumentError):
            await timetable.add(daily())
        assert timetable.schedules() == [schedule]
        await timetable.run_now(schedule.id, by="ada")
        assert (await ends.next()).state is RunState.SUCCEEDED


async def test_watcher_that_fails(tmp_path: Path, ends: Ends) -> None:
    """Who watches and fails doesn't keep runs from their end."""
    document: Document[Any] = Document(tmp_path / "timetable.json", Record, default=Record)

    def fail(schedule: Schedule[Any], run: Run) -> None:
        ends(schedule, run)
        raise ValueError

    async with Timetable(document, ring, observe=fail) as timetable:
        schedule = await timetable.add(daily())
        await timetable.run_now(schedule.id, by="ada")
        await ends.next()
        assert timetable.runs(schedule.id)[0].state is RunState.SUCCEEDED
