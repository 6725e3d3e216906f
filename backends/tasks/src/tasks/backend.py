"""The to-do API. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend, CORSPolicy
from bedplate.problems import ProblemPolicy
from tasks import health, sessions
from tasks.dependencies import guard, idempotency, rate_limit
from tasks.models import Base
from tasks.router import router
from tasks.settings import TasksSettings

backend = Backend(
    name="tasks",
    title="Tasks",
    summary="A to-do API that trusts a better-auth server's sessions.",
    settings=TasksSettings,
    routers=[router, health.router],
    metadata=Base.metadata,
    migrations=Path(__file__).with_name("migrations") / "versions",
    problems=ProblemPolicy(validation_status=400),
    cors=CORSPolicy(required=True),
    auth=guard,
    rate_limit=rate_limit,
    resources={"verifier": sessions.open_verifier, "idempotency": idempotency.purging},
    prepare=sessions.prepare_stand_in,
    commands="tasks.commands:app",
)
