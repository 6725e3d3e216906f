from typing import Any

from bedplate.jobs.schedule import Run, Schedule, kind_of
from bedplate.observability.metrics import RequestMetrics

_BUCKETS = (0.1, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600)


class RunMetrics:
    """Counts runs, by action and state: `Scheduler(…, observe=RunMetrics(metrics).observe)`.

    The names that people give their schedules are no labels.
    """

    def __init__(self, metrics: RequestMetrics) -> None:
        self._runs = metrics.counter(
            "schedule_runs", "Runs of schedules that ended or were skipped", ["action", "state"]
        )
        self._seconds = metrics.histogram(
            "schedule_run_seconds", "How long runs of schedules took", ["action"], buckets=_BUCKETS
        )

    def observe(self, schedule: Schedule[Any], run: Run) -> None:
        """Count a run that ended or was skipped."""
        action = kind_of(schedule.action)
        self._runs.add(action, run.state.value)
        if run.ended_at is not None and run.ended_at > run.began_at:
            self._seconds.observe((run.ended_at - run.began_at).total_seconds(), action)
