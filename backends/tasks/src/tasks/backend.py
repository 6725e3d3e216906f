"""The to-do API. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend, CORSPolicy
from bedplate.problems import ProblemPolicy
from tasks.models import Base
from tasks.router import health_router, router
from tasks.settings import TasksSettings
from tasks.state import TasksState, health_checks
from tasks.wiring import guard, prepare_stand_in, rate_limit

backend = Backend(
    name="tasks",
    title="Tasks",
    summary="A to-do API that trusts a better-auth server's sessions.",
    settings=TasksSettings,
    routers=[router, health_router],
    metadata=Base.metadata,
    migrations=Path(__file__).with_name("migrations") / "versions",
    problems=ProblemPolicy(validation_status=400),
    cors=CORSPolicy(required=True),
    auth=guard,
    rate_limit=rate_limit,
    state=TasksState,
    health_checks=health_checks,
    prepare=prepare_stand_in,
    commands="tasks.commands:app",
)
