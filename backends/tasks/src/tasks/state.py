"""What is open while the to-do API runs, in the order in which it opens."""

from bedplate.auth import CheckedVerifier
from bedplate.conditional.idempotency import Idempotency
from bedplate.database_state import DatabaseState
from bedplate.observability.health import HealthCheck
from bedplate.state import opened
from tasks.changes import Changes
from tasks.settings import TasksSettings
from tasks.wiring import idempotency, open_changes, open_verifier, session_check


class TasksState(DatabaseState):
    """The database and what every backend has, and what the routes of tasks ask for."""

    settings: TasksSettings
    verifier: CheckedVerifier = opened(open_verifier)
    idempotency: Idempotency = opened(idempotency.open)
    changes: Changes = opened(open_changes)


def health_checks(state: TasksState) -> list[HealthCheck]:
    """Return the readiness check of the sessions; the database's own is there already."""
    return [session_check(state.verifier)]
