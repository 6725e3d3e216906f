import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from bedplate.jobs.exceptions import RunSkipped
from bedplate.jobs.schedule import MAX_TEXT_LENGTH, RunState
from bedplate.problems import ProblemError

_GRACE_SECONDS = 30.0
_TOO_LONG = "It took too long, and was cancelled."


@dataclass(frozen=True)
class Outcome:
    """What came of a run: its state, and one sentence."""

    state: RunState
    text: str | None = None


class Work:
    """A coroutine under way that can be cancelled, for a reason that its outcome tells."""

    def __init__(self, work: Coroutine[Any, Any, str | None], longest: timedelta) -> None:
        """Start the work; it is cancelled after `longest`, and has failed then."""
        self._task = asyncio.create_task(work)
        self._longest = longest.total_seconds()
        self._reason: Outcome | None = None

    def cancel(self, reason: str) -> None:
        """End the work as interrupted; `reason` is one sentence."""
        self._end(Outcome(RunState.INTERRUPTED, reason))

    def _end(self, outcome: Outcome) -> None:
        self._reason = self._reason or outcome
        self._task.cancel()

    async def outcome(self) -> Outcome:
        """Return what came of it; work that resists its cancellation is named in the log."""
        done, _ = await asyncio.wait({self._task}, timeout=self._longest)
        if not done:
            self._end(Outcome(RunState.FAILED, _TOO_LONG))
            done, _ = await asyncio.wait({self._task}, timeout=_GRACE_SECONDS)
        if not done:
            structlog.get_logger().error("job_does_not_stop", job=self._task.get_name())
            return self._reason or Outcome(RunState.FAILED, _TOO_LONG)
        return self._read()

    def _read(self) -> Outcome:
        if self._task.cancelled():
            return self._reason or Outcome(RunState.INTERRUPTED, "It was cancelled.")
        error = self._task.exception()
        if error is None:
            state, text = RunState.SUCCEEDED, self._task.result()
        elif isinstance(error, RunSkipped):
            state, text = RunState.SKIPPED, str(error)
        else:
            structlog.get_logger().error("job_failed", job="schedule", exc_info=error)
            state, text = RunState.FAILED, _sentence(error)
        return Outcome(state, text and text[:MAX_TEXT_LENGTH])


def _sentence(error: BaseException) -> str:
    """Return what a client may know: an unforeseen error shows its type, the log the rest."""
    if isinstance(error, ProblemError):
        return error.detail or error.title
    return f"It failed unexpectedly ({type(error).__name__}); the log says more."
