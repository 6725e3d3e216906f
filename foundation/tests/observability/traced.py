"""Runs two backends, of which one asks the other, and prints the spans of three requests."""

import asyncio
import json
import sys
from typing import Annotated, Any

import structlog
from fastapi import APIRouter
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import String, bindparam, func, select

from bedplate.backend import Backend
from bedplate.clients import service_client
from bedplate.clients.client import ServiceClient
from bedplate.composition import compose
from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.database.statements import Statement
from bedplate.database_state import DatabaseState
from bedplate.observability.logs import configure_logging
from bedplate.settings import DatabaseSettings, Settings
from bedplate.state import from_state, opened
from bedplate.testing.client import client

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

READ = Statement(select(bindparam("secret", type_=String, required=True).label("value")))
BROKEN = Statement(select(func.nonsense(bindparam("secret", type_=String, required=True))))


class AskingSettings(DatabaseSettings):
    """Where the other backend is: here."""

    other_url: str | None = None


class AskingState(DatabaseState):
    """A database and the other backend."""

    settings: AskingSettings
    other: ServiceClient = opened(service_client("other", url="other_url"))


asking, other = APIRouter(), APIRouter()


@asking.get("/ask")
async def ask(
    session: ReadSession, service: Annotated[ServiceClient, from_state(ServiceClient)]
) -> int:
    """Run a statement, log a line and ask the other backend."""
    await session.all(READ, secret="hunter2")
    structlog.get_logger("asking").info("asked")
    answer: int = await service.get("/answer")
    return answer


@asking.get("/write")
async def write(session: WriteSession) -> int:
    """Run a statement in a transaction."""
    await session.all(READ, secret="hunter2")
    return 1


@asking.get("/fail")
async def fail(session: ReadSession) -> int:
    """Run a statement that fails."""
    await session.all(BROKEN, secret="hunter2")
    return 1


@other.get("/answer")
async def answer() -> int:
    """Answer."""
    return 42


async def main() -> None:
    """Send three requests and print the spans."""
    traced = sys.argv[1] == "traced"
    configure_logging(json=True)
    backends = [
        Backend(
            name="asking",
            title="Asking",
            settings=AskingSettings,
            state=AskingState,
            routers=[asking],
        ),
        Backend(name="other", title="Other", settings=Settings, routers=[other]),
    ]
    settings = {
        "asking": AskingSettings(otel_enabled=traced, database_url="sqlite+aiosqlite:///:memory:"),
        "other": Settings(otel_enabled=traced),
    }
    async with client(compose(backends, settings)) as api:
        assert (await api.get("/asking/ask")).json() == 42
        assert (await api.get("/asking/write")).json() == 1
        with api.expecting(500):
            await api.get("/asking/fail")
    sys.stdout.write(json.dumps([described(span) for span in exporter.get_finished_spans()]))


def described(span: ReadableSpan) -> dict[str, Any]:
    """Return what the tests look at."""
    assert span.context is not None
    return {
        "name": span.name,
        "kind": span.kind.name,
        "trace": f"{span.context.trace_id:032x}",
        "id": f"{span.context.span_id:016x}",
        "parent": span.parent and f"{span.parent.span_id:016x}",
        "attributes": {name: str(value) for name, value in (span.attributes or {}).items()},
        "status": span.status.status_code.name,
        "events": [str(event.attributes) for event in span.events],
    }


asyncio.run(main())
