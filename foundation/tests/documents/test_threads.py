"""Blocking work that is seen through to its end."""

import asyncio
import threading

import pytest

from bedplate.documents.threads import finish_in_thread


async def test_a_cancelled_caller_waits_for_the_thread() -> None:
    """Cancelled three times, the caller goes on only when the work is done, and is cancelled."""
    begun, go_on, done = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)
        done.append("whole")

    task = asyncio.create_task(finish_in_thread(work))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert (done, task.done()) == ([], False)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["whole"]


async def test_results_and_errors_come_through() -> None:
    """What the function returns or raises, the caller gets."""

    def fail() -> None:
        raise LookupError("broken")

    assert await finish_in_thread(lambda: 7) == 7
    with pytest.raises(LookupError, match="broken"):
        await finish_in_thread(fail)
