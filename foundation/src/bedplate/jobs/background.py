"""Background work of a process: tracked, asked to stop, and never lost silently."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NoReturn, Self

import structlog

from bedplate.problems import ProblemError

POLL_SECONDS: Final = 1.0
MAX_POLL_SECONDS: Final = 60.0


class Jobs:
    """The background jobs of an application; opened and closed by its lifespan.

    On leaving, jobs are asked to stop (`stopping`), cancelled after `stop_seconds`, and awaited.
    A job that does not even end on cancellation within the same time is named in the log.
    """

    def __init__(self, *, stop_seconds: float = 5.0) -> None:
        self.stopping = asyncio.Event()
        self._stop_seconds = stop_seconds
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __len__(self) -> int:
        """Return how many jobs are running."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, object], *, name: str) -> asyncio.Task[Any]:
        """Run a coroutine in the background. Raises RuntimeError when jobs are stopping.

        Its log lines carry the caller's request id. An exception is logged as `job_failed`.
        """
        if self.stopping.is_set():
            work.close()
            raise RuntimeError(f"The job {name!r} cannot start, the process is going away.")
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    async def finish(self, work: Coroutine[Any, Any, object], *, name: str) -> None:
        """Run a coroutine to its end, even if the caller is cancelled meanwhile.

        Raises what it raises. A `ProblemError` is an answer to the caller, so it isn't logged.
        """

        async def refusal() -> ProblemError | None:
            try:
                await work
            except ProblemError as error:
                return error
            return None

        error = await asyncio.shield(self.start(refusal(), name=name))
        if error is not None:
            raise error

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            if not self.stopping.is_set():
                return  # whoever started it no longer needs it
            structlog.get_logger().warning("job_cancelled", job=task.get_name())
        elif (error := task.exception()) is not None:
            _log_failure(task.get_name(), error)

    def every(
        self, seconds: float, function: Callable[[], Awaitable[object]], *, name: str
    ) -> asyncio.Task[Any]:
        """Run a function now, and again `seconds` after it has ended, until jobs are stopped.

        When it raises, that is logged as `job_failed` and the next run comes all the same.
        """
        return self.start(self._repeat(seconds, function, name), name=name)

    async def _repeat(
        self, seconds: float, function: Callable[[], Awaitable[object]], name: str
    ) -> None:
        while not self.stopping.is_set():
            try:
                await function()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next run comes
                _log_failure(name, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.stopping.wait()

    async def stop(self) -> None:
        """Tell every job to stop, cancel those that do not, and wait for their end."""
        self.stopping.set()
        await self._wait()
        for task in self._tasks:
            task.cancel()
        await self._wait()
        for task in self._tasks:
            structlog.get_logger().error("job_does_not_stop", job=task.get_name())

    async def _wait(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=self._stop_seconds)


async def poll(
    work: Callable[[], Awaitable[object]],
    on_failure: Callable[[Exception, float], Awaitable[object]],
    *,
    seconds: float = POLL_SECONDS,
    max_seconds: float = MAX_POLL_SECONDS,
) -> NoReturn:
    """Do what there is to do, again and again, until cancelled.

    `work` does a part of it. When it returns something true there may be more, and it is called
    again at once, else after `seconds`. When it raises, `on_failure` is called with the exception
    and the pause that comes now, which is twice the last one until it is `max_seconds`.
    """
    pause = seconds
    while True:
        try:
            more = await work()
            pause = seconds
            if more:
                continue
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round comes
            pause = min(pause * 2, max_seconds)
            await on_failure(error, pause)
        await asyncio.sleep(pause)


def _log_failure(name: str, error: BaseException) -> None:
    structlog.get_logger().error("job_failed", job=name, exc_info=error)
