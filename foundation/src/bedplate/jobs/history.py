"""The last runs of each schedule."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from bedplate.jobs.schedule import Run, RunState

INTERRUPTED = "The manager ended while it ran."


class History:
    """The last `kept` runs of each schedule; one that is under way is never dropped."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._runs: dict[UUID, list[Run]] = {}

    def load(self, runs: Iterable[Run], now: datetime) -> bool:
        """Take stored runs; return whether one was cut short, which is marked as such."""
        interrupted = False
        for stored in runs:
            run = stored
            if run.state is RunState.RUNNING:
                change = {"state": RunState.INTERRUPTED, "text": INTERRUPTED, "ended_at": now}
                run = run.model_copy(update=change)
                interrupted = True
            self.add(run)
        return interrupted

    def of(self, schedule_id: UUID) -> list[Run]:
        """Return a schedule's runs, the newest first."""
        return self._runs.get(schedule_id, [])[::-1]

    def all(self) -> list[Run]:
        """Return every run, those of one schedule in the order in which they began."""
        return [run for runs in self._runs.values() for run in runs]

    def add(self, run: Run) -> None:
        """Add a run. A skip that repeats the last one is counted with it."""
        runs = self._runs.setdefault(run.schedule_id, [])
        if runs and _repeats(run, runs[-1]):
            began = {"id": runs[-1].id, "began_at": runs[-1].began_at}
            run = run.model_copy(update={**began, "times": runs[-1].times + run.times})
            runs[-1] = run
            return
        runs.append(run)
        if len(runs) > self._kept:
            oldest = next((old for old in runs if old.state is not RunState.RUNNING), runs[0])
            runs.remove(oldest)

    def replace(self, ended: Run) -> None:
        """Put a run in the place of the one with its id, if that is still known."""
        runs = self._runs.get(ended.schedule_id, [])
        for position, run in enumerate(runs):
            if run.id == ended.id:
                runs[position] = ended

    def forget(self, schedule_id: UUID) -> None:
        """Forget a schedule's runs."""
        self._runs.pop(schedule_id, None)


def _repeats(run: Run, last: Run) -> bool:
    return run.state is last.state is RunState.SKIPPED and run.text == last.text
