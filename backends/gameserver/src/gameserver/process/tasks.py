"""Work that goes on when whoever asked for it goes away."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import structlog

from bedplate.problems import ProblemError

Work = Coroutine[Any, Any, None]


class Tasks:
    """The tasks of the game. One that fails unexpectedly is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Work) -> "asyncio.Task[None]":
        """Do work in a task of its own, and return that."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def finish(self, work: Work) -> None:
        """Do work to its end, even if the caller is cancelled. Raises what the work raises."""
        await asyncio.shield(self.begin(work))

    async def wait(self, seconds: float) -> None:
        """Return when every task has ended, or this time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ProblemError):
            structlog.get_logger().error("game_task_failed", exc_info=error)
