import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from audits.records.models import (
    MAX_ACTION_LENGTH,
    MAX_CORRELATION_ID_LENGTH,
    MAX_ENTITY_REF_LENGTH,
    MAX_ENTITY_TYPE_LENGTH,
    MAX_USER_AGENT_LENGTH,
)
from audits.settings import TENANT_PATTERN
from audits.transparency.canonical import NotCanonical, canonical
from bedplate.database.types import MAX_INSTANT, MIN_INSTANT
from bedplate.schemas import (
    MAX_INT64,
    MultiLineStr,
    QueryInt,
    Schema,
    SingleLineStr,
    Timestamp,
    parse_timestamp,
)

MAX_BATCH: Final = 1000
MAX_PAGE: Final = 50
MAX_TARGETS: Final = 10
MAX_DETAILS_BYTES: Final = 65_536
MAX_PART_DEPTH: Final = 64
CURSOR_PATTERN: Final = r"^(?:[0-9a-f]{16}\.[0-9a-f]{32})?$"
ACTION_PATTERN: Final = r"^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$"

# The escape of U+0000, and not an escaped backslash before the letters u0000.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

ActionType = Literal[
    "create", "update", "delete", "view", "export", "import", "login", "logout", "other"
]
Status = Literal["success", "failure", "pending"]
FinalStatus = Literal["success", "failure"]
Tenant = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
Action = Annotated[str, StringConstraints(pattern=ACTION_PATTERN, max_length=MAX_ACTION_LENGTH)]
EntityType = Annotated[str, SingleLineStr(MAX_ENTITY_TYPE_LENGTH, printable=True)]
EntityRef = Annotated[str, SingleLineStr(MAX_ENTITY_REF_LENGTH, printable=True)]
CorrelationId = Annotated[str, SingleLineStr(MAX_CORRELATION_ID_LENGTH, printable=True)]


def _details(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what canonical JSON or a database can't carry."""
    try:
        written = canonical(value)
    except NotCanonical:
        raise ValueError(
            "Details should be JSON without integers beyond 2**53, and with whole characters"
        ) from None
    if len(written) > MAX_DETAILS_BYTES:
        raise ValueError(f"Details should have at most {MAX_DETAILS_BYTES} bytes of JSON")
    if _NUL.search(written):
        raise ValueError("Text should not contain the character U+0000")
    return value


def _address(value: str) -> str:
    try:
        address = ip_address(value)
    except ValueError:
        raise ValueError("Input should be an IPv4 or IPv6 address") from None
    if "%" in value:
        raise ValueError("Input should be an address without a zone")
    return str(address)


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?")


def _start_of_day(value: object) -> object:
    """Return a day, with or without a zone, as the instant when it begins."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        zone = value[10:] or "Z"
        return f"{value[:10]}T00:00:00{zone}"
    return value


def _end_of_day(value: object) -> object:
    """Return a day as the instant when it has ended: up to a day includes the day."""
    start = _start_of_day(value)
    if start is value or not isinstance(start, str):
        return parse_timestamp(value)
    try:
        return datetime.fromisoformat(start) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ValueError("Input should be a day of the calendar") from None


def _in_utc(value: datetime) -> datetime:
    """Refuse a time that is beyond the calendar in UTC, as databases compare times."""
    if not MIN_INSTANT <= value <= MAX_INSTANT:
        raise ValueError("Input should be within the calendar's years in UTC")
    return value.astimezone(UTC)


def _part_of_details(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        part = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError('Input should be a JSON object, such as {"role": "admin"}') from None
    level = [part]
    for _ in range(MAX_PART_DEPTH):
        level = [item for value in level for item in _items(value)]
    if level:
        raise ValueError(f"Input should have at most {MAX_PART_DEPTH} levels")
    return part


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


_TIME_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
)
From = Annotated[Timestamp, BeforeValidator(_start_of_day), AfterValidator(_in_utc), _TIME_SCHEMA]
"""A time with its zone, or a day: from its beginning."""

Until = Annotated[
    AwareDatetime, BeforeValidator(_end_of_day), AfterValidator(_in_utc), _TIME_SCHEMA
]
"""A time with its zone, or a day: to its end."""

Details = Annotated[dict[str, Any], AfterValidator(_details)]
DetailsPart = Annotated[
    Details,
    BeforeValidator(_part_of_details),
    WithJsonSchema({"type": "string", "contentMediaType": "application/json"}),
]
"""JSON in a query: records whose details contain it."""

IPAddress = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}
    ),
]


class Party(Schema):
    """Who acted, or what was acted on: by kind, id and name, since people read names."""

    type: Annotated[str, SingleLineStr(MAX_ENTITY_TYPE_LENGTH, printable=True)]
    id: Annotated[str, SingleLineStr(MAX_ENTITY_REF_LENGTH, printable=True)]
    name: Annotated[str, SingleLineStr(MAX_ENTITY_REF_LENGTH, printable=True)] | None = None


class AuditNew(Schema):
    """What makes a record."""

    action_type: ActionType
    action: Action | None = Field(None, description="A dotted name, such as team.user_added")
    entity_type: EntityType
    entity_id: UUID | None = None
    entity_ref: EntityRef | None = Field(None, description="An id that is no UUID")
    user_id: UUID | None = None
    actor: Party | None = None
    targets: Annotated[list[Party], Field(max_length=MAX_TARGETS)] | None = None
    details: Details = Field(default_factory=dict)
    status: Status = "success"
    ip_address: IPAddress | None = None
    user_agent: Annotated[str, MultiLineStr(MAX_USER_AGENT_LENGTH)] | None = None
    occurred_at: Timestamp | None = Field(None, description="By the client's clock")
    correlation_id: CorrelationId | None = None
    tenant: Tenant | None = Field(None, description="Whose chain; that of the key by default")


class AuditBatch(Schema):
    """Up to 1,000 records, all or none of which are stored."""

    records: Annotated[list[AuditNew], Field(min_length=1, max_length=MAX_BATCH)]


class AuditUpdate(Schema):
    """What completes a record that is pending: its status, and details to merge."""

    status: FinalStatus
    details: Details = Field(default_factory=dict, description="Replaces members of that name")


class Audit(BaseModel):
    """A record as clients see it."""

    id: UUID
    tenant: str
    sequence: int = Field(ge=0, description="The index of its last event's leaf in the log")
    leaf_hash: str = Field(description="RFC 6962 hash of that leaf, in base64")
    version: int = Field(ge=1)
    action_type: ActionType
    action: str | None
    entity_type: str
    entity_id: UUID | None
    entity_ref: str | None
    user_id: UUID | None
    actor: Party | None
    targets: list[Party] | None
    details: dict[str, Any]
    status: Status
    ip_address: str | None
    user_agent: str | None
    occurred_at: datetime | None
    created_at: datetime
    updated_at: datetime
    correlation_id: str | None
    erased: list[str] = Field(description="Members that were erased; the log stays whole")


class AuditEvent(Audit):
    """One event of a record: what it was from then on."""

    event: Literal["created", "completed", "deleted"]


class AuditHistory(BaseModel):
    """The events of a record, the first one first."""

    events: list[AuditEvent]


class AuditsStored(BaseModel):
    """What was stored of a batch, in its order."""

    ids: list[UUID]
    first_sequence: int
    last_sequence: int


class AuditPage(BaseModel):
    """A page of records, newest first. `next_cursor` leads on where `cursor` was asked for."""

    items: list[Audit]
    total: int | None = Field(None, description="How many there are in all; not with a cursor")
    limit: int
    offset: int | None = None
    next_cursor: str | None = None


class AuditFilters(Schema):
    """Which records something is about. Days without a zone are those of UTC."""

    tenant: Tenant | None = None
    action_type: ActionType | None = None
    action: Action | None = None
    entity_type: EntityType | None = None
    entity_id: UUID | None = None
    entity_ref: EntityRef | None = None
    user_id: UUID | None = None
    status: Status | None = None
    correlation_id: CorrelationId | None = None
    created_after: From | None = None
    created_before: Until | None = None
    occurred_after: From | None = None
    occurred_before: Until | None = None
    details: Details | None = None


class AuditQuery(AuditFilters):
    """Which records a list or an export is about."""

    details: DetailsPart | None = None


class AuditPageQuery(AuditQuery):
    """Which page of a list: by `offset`, with a count, or by `cursor`, as fast however deep."""

    limit: Annotated[int, QueryInt(1, MAX_PAGE)] = 20
    offset: Annotated[int, QueryInt(0, MAX_INT64)] | None = None
    cursor: Annotated[str, StringConstraints(pattern=CURSOR_PATTERN)] | None = Field(
        None, description="Empty for the first page; then `next_cursor` of the page before"
    )


class AuditExportQuery(AuditQuery):
    """Which records to export, and how."""

    format: Literal["ndjson", "csv", "ocsf"] = "ndjson"
