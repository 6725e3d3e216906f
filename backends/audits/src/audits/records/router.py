"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import StringConstraints
from starlette.convertors import StringConvertor, register_url_convertor

from audits.log import service as log
from audits.log.exceptions import NotInACheckpoint
from audits.log.wiring import CurrentNotary
from audits.records import service
from audits.records.batches import BATCH_BODY, SeveralTenants, parse_batch
from audits.records.exceptions import (
    DetailsTooLarge,
    KeyReused,
    OccurredAtRefused,
    RecordNotFound,
    StatusIsFinal,
)
from audits.records.export import MEDIA_TYPES, Export
from audits.records.items import to_item, to_json
from audits.records.schemas import (
    Audit,
    AuditExportQuery,
    AuditHistory,
    AuditNew,
    AuditPage,
    AuditPageQuery,
    AuditsStored,
    AuditUpdate,
    Tenant,
)
from audits.records.wiring import CurrentDatabase, CurrentTrail, RecordedReader
from audits.security import CurrentAdmin, CurrentWriter, tenant_for
from bedplate.backend import Upload
from bedplate.conditional import IfAbsent, IfMatch, IfNoneMatch, Preconditions, version_etag
from bedplate.database import Row
from bedplate.database.dependencies import ReadSession
from bedplate.openapi import errors, headers
from bedplate.pagination import next_link
from bedplate.problems import Forbidden, InvalidInput, PreconditionFailed
from bedplate.schemas import QueryInt


class RecordIdConvertor(StringConvertor):
    """An id in a path. Other words there are none, so that other methods on them are a 405."""

    regex = "(?!(?:batch|export|insights)$)[^/]+"


register_url_convertor("record_id", RecordIdConvertor())
router = APIRouter(prefix="/api/v1/audits", tags=["audits"])
batch_upload = Upload(
    path="/api/v1/audits/batch",
    max_bytes="max_batch_bytes",
    seconds="batch_seconds",
    max_json_members="max_batch_json_members",
)

TenantQuery = Annotated[Tenant | None, Query(description="That of the key by default")]
VersionQuery = Annotated[
    Annotated[int, QueryInt(1, 2**31 - 1)] | None, Query(description="The last one by default")
]
IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")] | None,
    Header(description="The same key gets the same records, and stores them once"),
]


@router.post(
    "",
    status_code=201,
    response_model=Audit,
    responses={
        **headers(201, "ETag", "Location"),
        **errors(Forbidden, KeyReused, OccurredAtRefused),
    },
    summary="Record what happened",
)
async def record(
    request: Request,
    new: AuditNew,
    principal: CurrentWriter,
    trail: CurrentTrail,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Store a record, and return it with its sequence number and leaf hash when it is durable."""
    tenant = tenant_for(principal, new.tenant)
    events = await trail.create(tenant, [new], owner=principal.id, key=idempotency_key)
    location = f"{request.scope.get('root_path', '')}{router.prefix}/{events[0]['id']}"
    return to_response(events[0], 201, {"Location": location})


@router.post(
    "/batch",
    status_code=201,
    responses=errors(Forbidden, KeyReused, OccurredAtRefused, SeveralTenants),
    openapi_extra=BATCH_BODY,
    summary="Record up to 1,000 events, all or none",
)
async def record_batch(
    request: Request,
    principal: CurrentWriter,
    trail: CurrentTrail,
    idempotency_key: IdempotencyKey = None,
) -> AuditsStored:
    """Store records of one tenant, from a JSON object or from lines of JSON (NDJSON)."""
    new = parse_batch(await request.body(), request.headers.get("content-type", ""))
    tenants = {tenant_for(principal, each.tenant) for each in new}
    if len(tenants) > 1:
        raise SeveralTenants
    events = await trail.create(tenants.pop(), new, owner=principal.id, key=idempotency_key)
    return AuditsStored(
        ids=[event["id"] for event in events],
        first_sequence=events[0]["seq"],
        last_sequence=events[-1]["seq"],
    )


@router.get(
    "",
    response_model=AuditPage,
    responses={**headers(200, "Link"), **errors(Forbidden)},
    summary="List records, newest first",
)
async def list_records(
    request: Request,
    query: Annotated[AuditPageQuery, Query()],
    principal: RecordedReader,
    session: ReadSession,
) -> Response:
    """Return a page of records: by offset with a count, or by cursor without one."""
    tenant = tenant_for(principal, query.tenant)
    chosen = service.to_filter(query)
    limit = query.limit
    if query.cursor is None:
        offset = query.offset or 0
        page = await service.page(session, tenant, chosen, limit=limit, offset=offset)
        return _json({"items": _items(page), "total": page.total, "limit": limit, "offset": offset})
    if query.offset is not None:
        message = "Input should be an offset or a cursor, not both"
        raise InvalidInput([{"field": "offset", "message": message, "code": "offset_and_cursor"}])
    page = await service.page_after(session, tenant, chosen, limit=limit, cursor=query.cursor)
    response = _json({"items": _items(page), "limit": limit, "next_cursor": page.next_cursor})
    if page.next_cursor is not None:
        response.headers["Link"] = next_link(request, cursor=page.next_cursor)
    return response


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=errors(Forbidden),
    summary="Export records, oldest first",
)
async def export_records(
    query: Annotated[AuditExportQuery, Query()],
    principal: RecordedReader,
    database: CurrentDatabase,
    notary: CurrentNotary,
) -> StreamingResponse:
    """Stream the records that the filters choose; the last line says how many there were.

    `ndjson` has what `bedplate audits verify` needs to prove each record without this server.
    """
    tenant = tenant_for(principal, query.tenant)
    await notary.sign(tenant)
    session = database.read()
    latest = await log.latest(session, tenant)
    size, note = (latest["size"], latest["note"]) if latest else (0, "")
    export = Export(session, tenant, service.to_filter(query), size=size, note=note)
    return StreamingResponse(export.lines(query.format), media_type=MEDIA_TYPES[query.format])


@router.get(
    "/{record_id:record_id}",
    response_model=Audit,
    responses={
        **headers(200, "ETag"),
        **headers(304, "ETag"),
        **errors(Forbidden, RecordNotFound),
    },
    summary="Get a record",
)
async def get_record(
    record_id: UUID,
    principal: RecordedReader,
    session: ReadSession,
    condition: IfNoneMatch,
    tenant: TenantQuery = None,
) -> Response:
    """Return a record as it is now, with its ETag."""
    event = await service.get(session, tenant_for(principal, tenant), record_id)
    etag = version_etag(event["version"])
    if condition.not_modified(etag):
        return Response(status_code=304, headers={"ETag": etag})
    return to_response(event)


@router.put(
    "/{record_id:record_id}",
    response_model=Audit,
    responses={
        **headers(200, "ETag"),
        **errors(Forbidden, RecordNotFound, StatusIsFinal, PreconditionFailed, DetailsTooLarge),
    },
    summary="Complete a pending record",
)
async def complete_record(
    record_id: UUID,
    update: AuditUpdate,
    principal: CurrentWriter,
    trail: CurrentTrail,
    if_match: IfMatch,
    if_absent: IfAbsent,
    tenant: TenantQuery = None,
) -> Response:
    """Set the final status of a pending record, once, and merge details into it."""
    condition = Preconditions(if_match.if_match, if_absent.if_none_match)
    event = await trail.complete(
        tenant_for(principal, tenant),
        record_id,
        versions=condition.versions(),
        status=update.status,
        details=update.details,
    )
    return to_response(event)


@router.delete(
    "/{record_id:record_id}",
    status_code=204,
    responses=errors(Forbidden, RecordNotFound, PreconditionFailed),
    summary="Take a record out of the lists",
)
async def delete_record(
    record_id: UUID,
    principal: CurrentAdmin,
    trail: CurrentTrail,
    condition: IfMatch,
    tenant: TenantQuery = None,
) -> None:
    """Add a tombstone: lists leave the record out; its history and the log keep it."""
    await trail.delete(tenant_for(principal, tenant), record_id, versions=condition.versions())


@router.get(
    "/{record_id:record_id}/history",
    response_model=AuditHistory,
    responses=errors(Forbidden, RecordNotFound),
    summary="What a record was from each event on",
)
async def get_history(
    record_id: UUID,
    principal: RecordedReader,
    session: ReadSession,
    tenant: TenantQuery = None,
) -> Response:
    """Return all events of a record, also of a deleted one."""
    events = await service.history(session, tenant_for(principal, tenant), record_id)
    return _json({"events": [{**to_item(event), "event": event["event"]} for event in events]})


@router.get(
    "/{record_id:record_id}/proof",
    response_class=PlainTextResponse,
    responses=errors(Forbidden, RecordNotFound, NotInACheckpoint),
    summary="The proof that a record is in the log",
)
async def get_proof(
    record_id: UUID,
    principal: RecordedReader,
    session: ReadSession,
    tenant: TenantQuery = None,
    version: VersionQuery = None,
) -> PlainTextResponse:
    """Return a c2sp.org/tlog-proof of a record's last event, or of another by its version."""
    name = tenant_for(principal, tenant)
    events = await service.history(session, name, record_id)
    wanted = [event for event in events if version in {None, event["version"]}]
    if not wanted:
        raise RecordNotFound
    found = await log.prove(session, name, wanted[-1]["seq"])
    return PlainTextResponse(str(found))


def to_response(event: Row, status: int = 200, more: dict[str, str] | None = None) -> Response:
    """Return the response with a record, made from one of its events."""
    return _json(to_item(event), status, {"ETag": version_etag(event["version"]), **(more or {})})


def _items(page: service.RecordPage) -> list[dict[str, Any]]:
    return [to_item(event) for event in page.items]


def _json(value: Any, status: int = 200, more: dict[str, str] | None = None) -> Response:
    return Response(to_json(value), status, more, "application/json")
