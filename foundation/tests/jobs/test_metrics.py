"""What Prometheus gets to see of a scheduler."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from bedplate.jobs.metrics import RunMetrics
from bedplate.jobs.schedule import Run, RunState, Schedule, Trigger
from bedplate.observability.metrics import RequestMetrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Ring(BaseModel):
    """An action without a kind: the type names it."""


def test_runs() -> None:
    """Runs are counted by action and state, and timed when they took time."""
    registry = CollectorRegistry()
    metrics = RunMetrics(RequestMetrics(registry, "tower"))
    schedule = Schedule[Ring](
        name="X", cron="* * * * *", action=Ring(), id=UUID(int=1), created_at=NOW, counted_until=NOW
    )
    for state, seconds in ((RunState.SUCCEEDED, 7), (RunState.SKIPPED, 0)):
        run = Run(
            id=UUID(int=2),
            schedule_id=schedule.id,
            trigger=Trigger.SCHEDULE,
            state=state,
            began_at=NOW,
            ended_at=NOW + timedelta(seconds=seconds),
        )
        metrics.observe(schedule, run)
        labels = {"backend": "tower", "action": "Ring", "state": state.value}
        assert registry.get_sample_value("schedule_runs_total", labels) == 1
    labels = {"backend": "tower", "action": "Ring"}
    assert registry.get_sample_value("schedule_run_seconds_count", labels) == 1
    assert registry.get_sample_value("schedule_run_seconds_sum", labels) == 7
