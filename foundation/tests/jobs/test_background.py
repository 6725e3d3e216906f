"""Background jobs: tracked, asked to stop, never lost."""

import asyncio

import pytest
import structlog
from structlog.contextvars import bound_contextvars
from structlog.testing import capture_logs

from bedplate.jobs.background import Jobs, poll
from bedplate.problems import Conflict


async def test_job_keeps_the_request_id_and_its_failure_is_logged() -> None:
    """A job's log lines, the one of its failure too, carry what its caller had bound."""

    async def fail() -> None:
        structlog.get_logger().info("working")
        raise ValueError("broken")

    with capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        async with Jobs() as jobs:
            with bound_contextvars(request_id="r-1"):
                jobs.start(fail(), name="failing")
    assert [(line["event"], line["request_id"]) for line in logs] == [
        ("working", "r-1"),
        ("job_failed", "r-1"),
    ]
    assert logs[1]["job"] == "failing"
    assert isinstance(logs[1]["exc_info"], ValueError)


async def test_job_that_listens_ends_by_itself() -> None:
    """A job that waits for `stopping` finishes its work and is not cancelled."""
    done = []

    async with Jobs() as jobs:

        async def work() -> None:
            await jobs.stopping.wait()
            done.append("tidy")

        jobs.start(work(), name="listening")
        assert len(jobs) == 1
    assert done == ["tidy"]
    assert len(jobs) == 0


async def test_job_that_does_not_listen_is_cancelled() -> None:
    """A job that goes on is cancelled after the time it has, and that is logged."""
    with capture_logs() as logs:
        async with Jobs(stop_seconds=0.01) as jobs:
            task = jobs.start(asyncio.Event().wait(), name="deaf")
    assert task.cancelled()
    assert [(line["event"], line["job"]) for line in logs] == [("job_cancelled", "deaf")]


async def test_job_that_resists_cancellation_is_named() -> None:
    """A job that swallows its cancellation holds nothing up, and is named in the log."""
    release = asyncio.Event()

    async def resist() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    with capture_logs() as logs:
        async with Jobs(stop_seconds=0.01) as jobs:
            task = jobs.start(resist(), name="stubborn")
    assert [(line["event"], line["job"]) for line in logs] == [("job_does_not_stop", "stubborn")]
    release.set()
    await task


async def test_nothing_starts_while_stopping() -> None:
    """A job that comes too late is refused, and its coroutine is closed."""
    async with Jobs() as jobs:
        pass
    with pytest.raises(RuntimeError, match="'late' cannot start"):
        jobs.start(asyncio.sleep(0), name="late")


async def test_repeated_job_survives_its_failures() -> None:
    """`every` runs at once and again, also after an exception, and ends when asked."""
    runs = 0
    third = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            third.set()
        raise ValueError(runs)

    with capture_logs() as logs:
        async with Jobs() as jobs:
            jobs.every(0.001, work, name="often")
            await third.wait()
    assert {(line["event"], line["job"]) for line in logs} == {("job_failed", "often")}


async def test_pause_of_a_repeated_job_does_not_hold_the_end() -> None:
    """A job that waits for its next run ends at once, without a cancellation."""
    ran = asyncio.Event()

    async def work() -> None:
        ran.set()

    with capture_logs() as logs:
        async with Jobs() as jobs:
            task = jobs.every(3600, work, name="hourly")
            await ran.wait()
    assert not task.cancelled()
    assert logs == []


async def test_finish_outlives_its_caller() -> None:
    """A caller that is cancelled only stops waiting; the work goes on to its end."""
    may_end, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        done.set()

    async with Jobs() as jobs:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await jobs.finish(work(), name="patient")
        may_end.set()
        await asyncio.wait_for(done.wait(), 20)


async def test_finish_raises_what_the_work_raises() -> None:
    """A refusal is the caller's alone; an unexpected error is logged as well."""

    async def fail(error: Exception) -> None:
        raise error

    with capture_logs() as logs:
        async with Jobs() as jobs:
            for error in (Conflict("No."), ValueError("Oh.")):
                with pytest.raises(type(error)):
                    await jobs.finish(fail(error), name="failing")
    assert [(line["event"], line["job"]) for line in logs] == [("job_failed", "failing")]


async def test_a_job_that_is_cancelled_by_its_owner_is_not_logged() -> None:
    """Only jobs that had to be cancelled while the process stops are worth a warning."""
    with capture_logs() as logs:
        async with Jobs() as jobs:
            task = jobs.start(asyncio.sleep(3600), name="unwanted")
            task.cancel()
            await asyncio.wait({task})
    assert logs == []


async def test_poll_goes_on_at_once_while_there_is_more_and_pauses_longer_after_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Work that did something is called again at once; failures double the pause up to a bound."""
    pauses: list[float] = []
    failures: list[tuple[str, float]] = []
    rounds: list[object] = [1, 1, 0, *(OSError(str(number)) for number in range(4)), 0, "end"]

    async def work() -> object:
        result = rounds.pop(0)
        if isinstance(result, OSError):
            raise result
        if result == "end":
            raise asyncio.CancelledError
        return result

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def on_failure(error: Exception, pause: float) -> None:
        failures.append((str(error), pause))

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await poll(work, on_failure, seconds=1, max_seconds=5)
    assert pauses == [1, 2, 4, 5, 5, 1]
    assert failures == [("0", 2), ("1", 4), ("2", 5), ("3", 5)]
