"""Work that outlives whoever asked for it."""

import asyncio

import pytest

from bedplate.problems import Conflict
from bedplate.testing.logs import captured_logs
from gameserver.process.tasks import Tasks


async def test_work_outlives_who_asked() -> None:
    """A caller that is cancelled only stops waiting."""
    tasks, may_end, done = Tasks(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        done.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await tasks.finish(work())
    may_end.set()
    await tasks.wait(20)
    assert done.is_set()


async def test_the_wait_for_all_is_bounded() -> None:
    """Work that doesn't end is not waited for longer than that."""
    tasks = Tasks()
    task = tasks.begin(asyncio.sleep(3600))
    await tasks.wait(0)
    task.cancel()
    await tasks.wait(20)
    assert task.cancelled()


async def test_what_fails_is_told_and_logged() -> None:
    """A refusal goes to the caller; what nobody expected goes to the log as well."""
    tasks = Tasks()

    async def fail(error: Exception) -> None:
        raise error

    with captured_logs() as logs:
        for error in (Conflict("No."), ValueError("Oh.")):
            with pytest.raises(type(error)):
                await tasks.finish(fail(error))
        await asyncio.sleep(0)
    assert [log["event"] for log in logs] == ["game_task_failed"]
