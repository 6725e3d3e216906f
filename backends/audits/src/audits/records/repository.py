"""The statements on records and their events. Events are inserted, and never changed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from asyncpg import InsufficientPrivilegeError
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from audits.log.models import LogPruning
from audits.records.entries import as_doubles
from audits.records.exceptions import TrailNotWritable
from audits.records.models import Audit, AuditKey, AuditPending, AuditPrivate
from bedplate.database import AnyOf, ReadSession, Row, Statement, UTCDateTime, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.json_containment import JSONContains
from bedplate.database.pages import Columns, Keyset
from bedplate.database.types import MIN_INSTANT

_log = structlog.get_logger("audits")
NEWEST_FIRST = Keyset(Audit.created_at, Audit.id)
_COLUMNS = [column.key for column in Audit.__table__.c]
_EVENT = select(*(getattr(Audit, name) for name in _COLUMNS))
_ADD_EVENTS = BulkInsert(Audit)
_ADD_PRIVATE = BulkInsert(AuditPrivate)
_ADD_PENDING = BulkInsert(AuditPending)
_ADD_KEYS = BulkInsert(AuditKey)
_REMOVE_PENDING = Statement(delete(AuditPending).where(AnyOf(AuditPending.id, "ids")))

_OF_TENANT = Audit.tenant == bindparam("of")
_EVENTS_OF = Statement(
    _EVENT.where(_OF_TENANT, AnyOf(Audit.id, "ids")).order_by(Audit.id, Audit.version)
)
_EVENTS_BETWEEN = Statement(
    _EVENT.where(
        _OF_TENANT,
        Audit.seq >= bindparam("first", type_=BigInteger),
        Audit.seq < bindparam("end", type_=BigInteger),
    ).order_by(Audit.seq)
)
_PRIVATE = Statement(
    select(AuditPrivate.seq, AuditPrivate.member, AuditPrivate.salt, AuditPrivate.value).where(
        AuditPrivate.tenant == bindparam("of"), AnyOf(AuditPrivate.seq, "seqs")
    )
)
_KEYS = Statement(
    select(
        AuditKey.owner, AuditKey.key, AuditKey.fingerprint, AuditKey.first_seq, AuditKey.size
    ).where(AuditKey.tenant == bindparam("of"), AnyOf(AuditKey.key, "keys"))
)


_ERASE_PRIVATE = Statement(
    delete(AuditPrivate)
    .where(
        AuditPrivate.tenant == bindparam("of"),
        AnyOf(AuditPrivate.seq, "seqs"),
        or_(bindparam("all", type_=Boolean), AnyOf(AuditPrivate.member, "members")),
    )
    .returning(AuditPrivate.member)
)
_FIRST_SINCE = Statement(
    select(func.min(Audit.seq).label("seq")).where(
        _OF_TENANT, Audit.recorded_at >= bindparam("since", type_=UTCDateTime)
    )
)
_REMOVE_PRIVATE = Statement(
    delete(AuditPrivate).where(
        AuditPrivate.tenant == bindparam("of"),
        AuditPrivate.seq < bindparam("minimum", type_=BigInteger),
    )
)
_REMOVE_PENDING_OF = Statement(
    delete(AuditPending).where(
        AuditPending.tenant == bindparam("of"),
        AuditPending.created_at < bindparam("since", type_=UTCDateTime),
    )
)


async def erase_private(
    session: WriteSession, tenant: str, seqs: Sequence[int], members: Sequence[str]
) -> list[str]:
    """Remove what events hold apart, all or some members of it; return which members were there."""
    rows = await session.all(
        _ERASE_PRIVATE, of=tenant, seqs=list(seqs), all=not members, members=list(members)
    )
    return sorted({row["member"] for row in rows})


async def first_since(session: ReadSession, tenant: str, since: datetime) -> int | None:
    """Return the number of the first event at or after a time, or None."""
    row = await session.one_or_none(_FIRST_SINCE, of=tenant, since=since)
    return row["seq"] if row else None


async def remove_beside(session: WriteSession, tenant: str, minimum: int, since: datetime) -> None:
    """Remove what goes with the events before a number, apart from the events themselves."""
    await session.all(_REMOVE_PRIVATE, of=tenant, minimum=minimum)
    await session.all(_REMOVE_PENDING_OF, of=tenant, since=since)


_ADD_PARTITION = Statement(
    select(func.audit_add_partition(bindparam("month", type_=UTCDateTime)).label("added"))
)


async def add_partition(session: ReadSession, month: datetime) -> None:
    """Add the partition for a time's month where it is missing. PostgreSQL only."""
    await session.all(_ADD_PARTITION, month=month)


async def add(
    session: WriteSession,
    *,
    events: Sequence[Row],
    private: Sequence[Row],
    keys: Sequence[Row],
    no_longer_pending: Sequence[UUID],
) -> None:
    """Store events, and what goes with them. Raises `TrailNotWritable`."""
    try:
        await session.insert(_ADD_EVENTS, events)
    except InsufficientPrivilegeError as error:
        _log.error("trail_not_writable", error=str(error))
        raise TrailNotWritable(retry_after=60) from None
    await session.insert(_ADD_PRIVATE, private)
    await session.insert(_ADD_KEYS, keys)
    pending = [
        {name: event[name] for name in ("id", "tenant", "created_at")}
        for event in events
        if event["event"] == "created" and event["status"] == "pending"
    ]
    await session.insert(_ADD_PENDING, pending)
    if no_longer_pending:
        await session.all(_REMOVE_PENDING, ids=list(no_longer_pending))


async def events_of(session: ReadSession, tenant: str, ids: Sequence[UUID]) -> list[Row]:
    """Return all events of these records, those of a record one after the other."""
    return _as_stored(await session.all(_EVENTS_OF, of=tenant, ids=list(ids)))


async def events_between(session: ReadSession, tenant: str, first: int, end: int) -> list[Row]:
    """Return the events with these sequence numbers, `end` not included, in their order."""
    return _as_stored(await session.all(_EVENTS_BETWEEN, of=tenant, first=first, end=end))


async def private_of(
    session: ReadSession, tenant: str, events: Iterable[Row]
) -> dict[int, list[Row]]:
    """Return the members that these events hold apart, by sequence number: member, salt, value."""
    seqs = [event["seq"] for event in events if event["commitments"]]
    found: dict[int, list[Row]] = {}
    for row in await session.all(_PRIVATE, of=tenant, seqs=seqs) if seqs else ():
        row["value"] = as_doubles(row["value"])
        found.setdefault(row["seq"], []).append(row)
    return found


async def keys_of(session: ReadSession, tenant: str, keys: Sequence[str]) -> list[Row]:
    """Return what these idempotency keys stand for: owner, key, fingerprint, first_seq, size."""
    return await session.all(_KEYS, of=tenant, keys=list(keys))


def _as_stored(events: list[Row]) -> list[Row]:
    """Return events whose JSON has the numbers that clients sent."""
    for event in events:
        event["details"] = as_doubles(event["details"])
    return events


@dataclass(frozen=True)
class Filter:
    """Which records a list is about; None means any."""

    action_type: str | None = None
    action: str | None = None
    entity_type: str | None = None
    entity_id: UUID | None = None
    entity_ref: str | None = None
    user_id: UUID | None = None
    status: str | None = None
    correlation_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    occurred_after: datetime | None = None
    occurred_before: datetime | None = None
    details: dict[str, Any] | None = None

    def values(self) -> dict[str, Any]:
        """Return the filters that have a value, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


# What was pruned is gone from the lists with all of its later events, or the counts would be wrong.
_KEPT_SINCE = func.coalesce(
    select(func.max(LogPruning.before))
    .where(LogPruning.tenant == bindparam("of"))
    .scalar_subquery(),
    literal(MIN_INSTANT, UTCDateTime),
)
_EQUAL = (
    "action_type", "action", "entity_type", "entity_id", "entity_ref", "user_id", "status",
    "correlation_id",
)  # fmt: skip


def _conditions(names: frozenset[str]) -> list[ColumnElement[bool]]:
    """Return what WHERE takes for the filters of these names."""
    conditions: list[ColumnElement[bool]] = [_OF_TENANT]
    for name in _EQUAL:
        if name in names:
            column = getattr(Audit, name)
            conditions.append(column == bindparam(f"by_{name}", type_=column.type))
    for column in (Audit.created_at, Audit.occurred_at):
        start, end = (f"{column.key.removesuffix('_at')}_{side}" for side in ("after", "before"))
        if start in names:
            conditions.append(column >= bindparam(f"by_{start}", type_=column.type))
        if end in names:
            conditions.append(column < bindparam(f"by_{end}", type_=column.type))
    if "details" in names:
        conditions.append(JSONContains(Audit.details, "by_details"))
    return conditions


def _is_deleted(*among: Callable[[type[Audit]], ColumnElement[bool]]) -> ColumnElement[bool]:
    tombstone = aliased(Audit)
    return exists().where(
        tombstone.tenant == Audit.tenant,
        tombstone.id == Audit.id,
        tombstone.event == "deleted",
        *(condition(tombstone) for condition in among),
    )


def _is_pending() -> ColumnElement[bool]:
    return exists().where(AuditPending.id == Audit.id)


def _listed(names: frozenset[str], *, pending: bool) -> Columns:
    """Return the SELECT of the events that a list is made from, one of each record.

    Nothing but its status and its details changes in a record, and each of its events has all of
    the rest. So a list that filters by neither takes the records' first events; one that does takes
    the event that holds now.
    """
    conditions = [*_conditions(names), Audit.created_at >= _KEPT_SINCE]
    if not names & {"status", "details"}:
        return _EVENT.where(*conditions, Audit.event == "created", ~_is_deleted())
    if pending:
        return _EVENT.where(*conditions, Audit.event == "created", _is_pending())
    is_final = and_(Audit.status != "pending", ~_is_deleted())
    if "status" in names:
        return _EVENT.where(*conditions, Audit.event != "deleted", is_final)
    is_current = or_(is_final, and_(Audit.status == "pending", _is_pending()))
    return _EVENT.where(*conditions, Audit.event != "deleted", is_current)


def _counted(names: frozenset[str], *, pending: bool) -> ColumnElement[int]:
    """Return how many records a list has, from numbers of events that an index alone knows."""
    if "details" in names:
        listed = _listed(names, pending=pending).subquery()
        return select(func.count()).select_from(listed).scalar_subquery()

    def number(event: str, without: frozenset[str] = frozenset()) -> ColumnElement[int]:
        conditions = [*_conditions(names - without), Audit.created_at >= _KEPT_SINCE]
        return (
            select(func.count())
            .select_from(Audit)
            .where(*conditions, Audit.event == event)
            .scalar_subquery()
        )

    if "status" not in names:
        return number("created") - number("deleted")
    if pending:
        completed = number("completed", frozenset({"status"}))
        return number("created") - completed - number("deleted")
    return number("created") + number("completed") - number("deleted")


_NEWEST_FIRST = NEWEST_FIRST.order()
_LIMIT = bindparam("limit", type_=BigInteger)


@cache
def _by_offset(names: frozenset[str], *, pending: bool) -> tuple[Statement, Statement]:
    offset = bindparam("offset", type_=BigInteger)
    listed = _listed(names, pending=pending).order_by(*_NEWEST_FIRST).limit(_LIMIT).offset(offset)
    return Statement(listed), Statement(select(_counted(names, pending=pending).label("total")))


@cache
def _by_cursor(names: frozenset[str], *, pending: bool, further: bool) -> Statement:
    listed = _listed(names, pending=pending)
    if further:
        listed = listed.where(NEWEST_FIRST.beyond())
    return Statement(listed.order_by(*_NEWEST_FIRST).limit(_LIMIT))


async def page(
    session: ReadSession, tenant: str, chosen: Filter, *, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Return one event of each record of a page, newest record first, and how many there are."""
    values, parameters = _parameters(tenant, chosen)
    listed, counted = _by_offset(frozenset(values), pending=chosen.status == "pending")
    rows = await session.all(listed, limit=limit, offset=offset, **parameters)
    counts = await session.all(counted, **parameters)
    return _as_stored(rows), counts[0]["total"]


async def page_after(
    session: ReadSession, tenant: str, chosen: Filter, *, limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Return one event of each record of the page after a cursor, and the next cursor.

    Raises `InvalidInput` for a broken cursor.
    """
    values, parameters = _parameters(tenant, chosen)
    statement = _by_cursor(
        frozenset(values), pending=chosen.status == "pending", further=bool(cursor)
    )
    if cursor:
        parameters |= NEWEST_FIRST.decode(cursor)
    rows = await session.all(statement, limit=limit + 1, **parameters)
    more = len(rows) > limit
    last = rows[limit - 1] if more else {}
    next_cursor = NEWEST_FIRST.encode([last[name] for name in NEWEST_FIRST.names]) if more else None
    return _as_stored(rows[:limit]), next_cursor


def _before_end(event: type[Audit]) -> ColumnElement[bool]:
    # The sum keeps SQLite from scanning the chain up to that number for each row.
    return event.seq + 0 < bindparam("end", type_=BigInteger)


def _is_followed() -> ColumnElement[bool]:
    later = aliased(Audit)
    return exists().where(
        later.tenant == Audit.tenant,
        later.id == Audit.id,
        later.version > Audit.version,
        _before_end(later),
    )


@cache
def _in_order(names: frozenset[str]) -> Statement:
    """Return the SELECT of a list as it was at a number: what came later makes no difference."""
    if names & {"status", "details"}:
        is_listed = and_(Audit.event != "deleted", ~_is_followed())
    else:
        is_listed = and_(Audit.event == "created", ~_is_deleted(_before_end))
    listed = _EVENT.where(
        *_conditions(names),
        Audit.created_at >= _KEPT_SINCE,
        is_listed,
        Audit.seq > bindparam("after", type_=BigInteger),
        Audit.seq < bindparam("end", type_=BigInteger),
    )
    return Statement(listed.order_by(Audit.seq).limit(_LIMIT))


async def in_order(
    session: ReadSession, tenant: str, chosen: Filter, *, after: int, end: int, limit: int
) -> list[Row]:
    """Return one event of each of the next records in the chain's order, after a number.

    They are those that a chain of the first `end` events lists, whatever came after these.
    """
    values, parameters = _parameters(tenant, chosen)
    statement = _in_order(frozenset(values))
    rows = await session.all(statement, after=after, end=end, limit=limit, **parameters)
    return _as_stored(rows)


def _parameters(tenant: str, chosen: Filter) -> tuple[dict[str, Any], dict[str, Any]]:
    values = chosen.values()
    return values, {"of": tenant, **{f"by_{name}": value for name, value in values.items()}}
