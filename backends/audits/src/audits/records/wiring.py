"""Opens the trail, and names what its routes ask for."""

import contextlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from itertools import islice
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from audits.log.chain import Chains
from audits.log.service import Entries
from audits.records.schemas import AuditNew, Party
from audits.records.service import Skew, Trail, add_partitions, entries_between
from audits.security import CurrentReader, tenant_for
from audits.settings import TENANT_PATTERN, AuditsSettings
from bedplate.auth import Principal
from bedplate.database import Database
from bedplate.database.group_commit import BATCH_BUCKETS
from bedplate.jobs.background import Jobs
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state

# More than a list has filters; with the lengths, a record stays within its limit.
_MAX_QUERY_NAMES = 20
_MAX_QUERY_NAME_LENGTH = 100
_MAX_QUERY_LENGTH = 500
_DAY_SECONDS = 86_400.0
CurrentTrail = Annotated[Trail, from_state(Trail)]
CurrentDatabase = Annotated[Database, from_state(Database)]


async def _recorded(request: Request, principal: CurrentReader, trail: CurrentTrail) -> Principal:
    """Return the reader, after its reading was recorded where the settings ask for that.

    The record is durable before anything is read: nobody reads unseen. Requests that their route
    refuses for their tenant or record id read nothing, and leave no record.
    """
    tenant = request.path_params.get("tenant", request.query_params.get("tenant"))
    record_id = request.path_params.get("record_id")
    if tenant is not None and not re.fullmatch(TENANT_PATTERN, tenant):
        return principal
    if record_id is not None and not _is_uuid(record_id):
        return principal
    await record_access(request, principal, trail, tenant_for(principal, tenant))
    return principal


RecordedReader = Annotated[Principal, Depends(_recorded)]
"""Who may read; each read is a record where `AUDITS_RECORD_ACCESS` asks for it."""


async def record_access(
    request: Request, principal: Principal, trail: Trail, tenant: str, **details: object
) -> None:
    """Record a reader's request in a tenant's chain, where the settings ask for that."""
    settings: AuditsSettings = request.scope["state"]["settings"]
    if settings.record_access:
        await trail.create(tenant, [access(request, principal, details)])


def access(request: Request, principal: Principal, details: dict[str, object]) -> AuditNew:
    """Return the record of a reader's request, whose query may hold anything."""
    name = request.scope["route"].name
    record_id = request.path_params.get("record_id")
    client = request.client.host if request.client else None
    query = {
        _printable(key, _MAX_QUERY_NAME_LENGTH): _printable(value, _MAX_QUERY_LENGTH)
        for key, value in islice(request.query_params.items(), _MAX_QUERY_NAMES)
    }
    return AuditNew(
        action_type="export" if name == "export_records" else "view",
        action=f"audits.{name}",
        entity_type="audit",
        entity_ref=str(UUID(record_id)) if record_id else None,
        actor=Party(type=principal.kind, id=principal.id),
        details={"query": query, **details},
        ip_address=client if client and _is_address(client) else None,
        correlation_id=request.scope["state"].get("request_id"),
    )


def _printable(text: str, max_length: int) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:max_length])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


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
        "audits_batch_records", "Records that one transaction stored", buckets=BATCH_BUCKETS
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
