"""Blocking work that a cancelled task sees through to its end."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

Result = TypeVar("Result")


async def finish_in_thread(function: Callable[[], Result]) -> Result:
    """Return what `function` returns, run in a thread.

    A thread can't be cancelled. When the caller is, this waits for the thread's end and only then
    lets the cancellation go on, so that a lock is held for as long as the work lasts.
    """
    work = asyncio.ensure_future(anyio.to_thread.run_sync(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        if not work.cancelled():
            work.exception()  # looked at, so that asyncio doesn't complain of it
        raise
