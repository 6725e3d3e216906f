"""Opens the trail, and names what its routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request

from audits.log.chain import Chains
from audits.log.service import Entries
from audits.records.schemas import AuditNew, Party
from audits.records.service import Skew, Trail, add_partitions, entries_between
from audits.security import CurrentReader, tenant_for
from audits.settings import AuditsSettings
from bedplate.auth import Principal
from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state

CurrentTrail = Annotated[Trail, from_state(Trail)]
CurrentDatabase = Annotated[Database, from_state(Database)]


async def _recorded(request: Request, principal: CurrentReader, trail: CurrentTrail) -> Principal:
    """Return the reader, after its reading was recorded where the settings ask for that.

    The record is durable before anything is read: nobody reads unseen.
    """
    settings: AuditsSettings = request.scope["state"]["settings"]
    if settings.record_access:
        tenant = tenant_for(principal, request.query_params.get("tenant"))
        await trail.create(tenant, [access(request, principal)])
    return principal


RecordedReader = Annotated[Principal, Depends(_recorded)]
"""Who may read; each read is a record where `AUDITS_RECORD_ACCESS` asks for it."""


def access(request: Request, principal: Principal) -> AuditNew:
    """Return the record of a reader's request."""
    name = request.scope["route"].name
    client = request.client.host if request.client else None
    query = {key: value[:_MAX_QUERY_LENGTH] for key, value in request.query_params.items()}
    return AuditNew(
        action_type="export" if name == "export_records" else "view",
        action=f"audits.{name}",
        entity_type="audit",
        entity_ref=request.path_params.get("record_id"),
        actor=Party(type=principal.kind, id=principal.id),
        details={"query": query},
        ip_address=client if client and _is_address(client) else None,
        correlation_id=request.scope["state"].get("request_id"),
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


_MAX_QUERY_LENGTH = 500
_DAY_SECONDS = 86_400.0
_BATCH_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


@contextlib.asynccontextmanager
async def open_trail(
    settings: AuditsSettings,
    database: Database,
    chains: Chains,
    jobs: Jobs,
    metrics: RequestMetrics,
) -> AsyncIterator[Trail]:
    """Yield the trail; at the end, what waits is stored."""
    batches = metrics.histogram(
        "audits_batch_records", "Records that one transaction stored", buckets=_BATCH_BUCKETS
    )
    refusals = metrics.counter(
        "audits_refused_requests", "Requests whose records could not be stored"
    )
    skew = Skew(
        timedelta(seconds=settings.max_clock_ahead_seconds), timedelta(days=settings.max_age_days)
    )
    trail = Trail(
        database,
        chains,
        sensitive=settings.sensitive_members,
        skew=skew,
        observe_batch=batches.observe,
        observe_refusal=refusals.add,
    )

    def waiting() -> dict[tuple[str, ...], float]:
        return {(): trail.waiting}

    metrics.register_gauge("audits_waiting_records", "Records that wait to be stored", [], waiting)
    jobs.every(_DAY_SECONDS, partial(add_partitions, database), name="audits_partitions")
    async with trail:
        yield trail


@contextlib.asynccontextmanager
async def open_entries() -> AsyncIterator[Entries]:
    """Yield what reads entries for the log, which itself knows nothing of records."""
    yield entries_between
