"""The rules of the trail. Nothing here knows requests and responses."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from audits.log.chain import Chains
from audits.records import repository
from audits.records.entries import entry_of
from audits.records.events import Batch, Change, Complete, Create, Delete
from audits.records.exceptions import OccurredAtRefused, RecordNotFound
from audits.records.privacy import reveal
from audits.records.repository import Filter
from audits.records.schemas import AuditFilters, AuditNew
from audits.transparency.canonical import canonical
from bedplate import clock, ids
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.database.group_commit import GroupCommit
from bedplate.problems import ProblemError, ServiceUnavailable
from bedplate.schemas import MAX_INT64

_WALK_ROWS = 500


@dataclass(frozen=True)
class Skew:
    """How far the clients' clocks may be ahead, and how old an event may be when it is recorded."""

    ahead: timedelta
    age: timedelta

    def check(self, new: AuditNew) -> None:
        """Raise `OccurredAtRefused` for a time that these bounds exclude."""
        if new.occurred_at is None:
            return
        now = clock.now()
        if not now - self.age <= new.occurred_at <= now + self.ahead:
            raise OccurredAtRefused(
                f"occurred_at should be at most {self.age} before the server's time, "
                f"and {self.ahead} after it."
            )


class Trail:
    """Records what happens, in the order of each tenant's chain, and reads it.

    A context manager: on leaving it, what waits is stored.
    """

    def __init__(
        self,
        database: Database,
        chains: Chains,
        *,
        sensitive: Sequence[str] = (),
        skew: Skew,
        observe_batch: Callable[[int], None] = lambda _: None,
        observe_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; `sensitive` are paths of members that the log holds as commitments.

        `observe_batch` is called with the records of each transaction, and `observe_refusal` for
        each request whose records can't be stored just now.
        """
        self._database = database
        self._chains = chains
        self._sensitive = sensitive
        self._skew = skew
        self._observe_refusal = observe_refusal
        self._group: GroupCommit[str, Change, list[Row]] = GroupCommit(
            database, self._store, observe_batch=observe_batch
        )

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._group.__aexit__()

    @property
    def waiting(self) -> int:
        """How many records wait to be stored."""
        return self._group.waiting_rows

    async def create(
        self, tenant: str, new: Sequence[AuditNew], *, owner: str = "", key: str | None = None
    ) -> list[Row]:
        """Store records, all or none, and return their events when they are durable.

        With the `key` of an earlier request of the same owner, its events come back. Raises
        `OccurredAtRefused`, `KeyReused`, `QueueFull`, `DatabaseUnavailable`.
        """
        for each in new:
            self._skew.check(each)
        fingerprint = b""
        if key is not None:
            sent = [each.model_dump(mode="json") for each in new]
            fingerprint = sha256(canonical(sent)).digest()
        now = clock.now()
        record_ids = sorted((ids.uuid7(now) for _ in new), key=int)
        rows = [first_event(*each) for each in zip(new, record_ids, strict=True)]
        change = Create(rows, owner, key, fingerprint)
        return await self._append(tenant, change, rows=len(rows))

    async def complete(
        self,
        tenant: str,
        record_id: UUID,
        *,
        versions: Sequence[int] | None,
        status: str,
        details: dict[str, Any],
    ) -> Row:
        """Set a pending record's final status, merge details, and return the event.

        Raises `RecordNotFound`, `StatusIsFinal`, `PreconditionFailed`, `DetailsTooLarge`.
        """
        change = Complete(record_id, versions, status=status, details=details)
        return (await self._append(tenant, change))[0]

    async def delete(self, tenant: str, record_id: UUID, *, versions: Sequence[int] | None) -> None:
        """Add a record's tombstone. Raises `RecordNotFound`, `PreconditionFailed`."""
        await self._append(tenant, Delete(record_id, versions))

    async def _append(self, tenant: str, change: Change, *, rows: int = 1) -> list[Row]:
        try:
            return await self._group.submit(tenant, change, rows=rows)
        except ServiceUnavailable:
            self._observe_refusal()
            raise

    async def _store(
        self, session: WriteSession, tenant: str, changes: Sequence[Change]
    ) -> list[list[Row] | Exception]:
        """Store what waits of a chain: see `GroupCommit`."""
        growth = await self._chains.grow(session, tenant, clock.now())
        batch = Batch(
            growth,
            self._sensitive,
            await self._records(session, tenant, changes),
            await self._keys(session, tenant, changes),
        )
        answers: list[list[Row] | range | Exception] = []
        for change in changes:
            try:
                answers.append(change.apply(batch))
            except ProblemError as error:
                answers.append(error)
        await repository.add(
            session,
            events=batch.events,
            private=batch.private,
            keys=batch.new_keys,
            no_longer_pending=batch.no_longer_pending,
        )
        await self._chains.store(session, growth)
        return [
            await between(session, tenant, answer.start, answer.stop)
            if isinstance(answer, range)
            else answer
            for answer in answers
        ]

    async def _records(
        self, session: WriteSession, tenant: str, changes: Sequence[Change]
    ) -> dict[UUID, list[Row]]:
        changed = [record_id for change in changes for record_id in change.record_ids]
        records: dict[UUID, list[Row]] = {}
        for event in await _events(session, tenant, changed) if changed else ():
            records.setdefault(event["id"], []).append(event)
        return records

    async def _keys(
        self, session: WriteSession, tenant: str, changes: Sequence[Change]
    ) -> dict[tuple[str, str], Row]:
        keys = [change.idempotency_key for change in changes if change.idempotency_key]
        known = await repository.keys_of(session, tenant, keys) if keys else ()
        return {(row["owner"], row["key"]): row for row in known}


async def add_partitions(database: Database) -> None:
    """Add the partitions of this month and the next two, where the database has partitions."""
    if database.dialect.name == "postgresql":
        # From the first day on, 31 days later is always the next month.
        first = clock.now().replace(day=1)
        for days in (0, 31, 62):
            await repository.add_partition(database.read(), first + timedelta(days=days))


def first_event(new: AuditNew, record_id: UUID) -> Row:
    """Return the columns that a record's first event has from its request."""
    row = {**new.model_dump(exclude={"tenant"}), "id": record_id}
    if new.occurred_at is not None:
        row["occurred_at"] = new.occurred_at.astimezone(UTC)
    return {**row, "version": 1}


async def _events(session: ReadSession, tenant: str, record_ids: Sequence[UUID]) -> list[Row]:
    stored = await repository.events_of(session, tenant, record_ids)
    return await _revealed(session, tenant, stored)


async def _revealed(session: ReadSession, tenant: str, stored: Sequence[Row]) -> list[Row]:
    private = await repository.private_of(session, tenant, stored)
    return [reveal(event, private.get(event["seq"], ())) for event in stored]


async def history(session: ReadSession, tenant: str, record_id: UUID) -> list[Row]:
    """Return a record's events, the first one first. Raises `RecordNotFound`."""
    events = await _events(session, tenant, [record_id])
    if not events:
        raise RecordNotFound
    return events


async def get(session: ReadSession, tenant: str, record_id: UUID) -> Row:
    """Return the event that a record now is. Raises `RecordNotFound`, also for a deleted one."""
    event = (await history(session, tenant, record_id))[-1]
    if event["event"] == "deleted":
        raise RecordNotFound
    return event


async def between(session: ReadSession, tenant: str, first: int, end: int) -> list[Row]:
    """Return the events with these sequence numbers, `end` not included, in their order."""
    stored = await repository.events_between(session, tenant, first, end)
    return await _revealed(session, tenant, stored)


async def entries_between(
    session: ReadSession, tenant: str, first: int, end: int
) -> Sequence[bytes]:
    """Return the entries of the events with these sequence numbers: see `between`."""
    stored = await repository.events_between(session, tenant, first, end)
    return [entry_of(event) for event in stored]


def to_filter(filters: AuditFilters) -> Filter:
    """Return which records a request asks for."""
    names = Filter.__dataclass_fields__.keys()
    return Filter(**{name: value for name, value in filters if name in names})


@dataclass(frozen=True)
class RecordPage:
    """A page of records, newest first: their current events."""

    items: list[Row]
    total: int | None = None
    next_cursor: str | None = None


async def page(
    session: ReadSession, tenant: str, chosen: Filter, *, limit: int, offset: int
) -> RecordPage:
    """Return the page of records from an offset, and how many there are in all."""
    rows, total = await repository.page(session, tenant, chosen, limit=limit, offset=offset)
    return RecordPage(await _current(session, tenant, rows), total)


async def page_after(
    session: ReadSession, tenant: str, chosen: Filter, *, limit: int, cursor: str | None
) -> RecordPage:
    """Return the page of records after a cursor. Raises `InvalidInput` for a broken one."""
    rows, next_cursor = await repository.page_after(
        session, tenant, chosen, limit=limit, cursor=cursor
    )
    return RecordPage(await _current(session, tenant, rows), next_cursor=next_cursor)


async def walk(
    session: ReadSession, tenant: str, chosen: Filter, size: int
) -> AsyncIterator[list[Row]]:
    """Yield the records of a chain's first `size` events, some at a time, oldest first."""
    after = -1
    while rows := await repository.in_order(
        session, tenant, chosen, after=after, end=size, limit=_WALK_ROWS
    ):
        yield await _current(session, tenant, rows, size)
        after = rows[-1]["seq"]


async def _current(
    session: ReadSession, tenant: str, listed: Sequence[Row], size: int = MAX_INT64
) -> list[Row]:
    """Return the events that hold now of the listed records, in their order.

    `size` leaves out events that came after so many.
    """
    pending = [row["id"] for row in listed if row["status"] == "pending"]
    later = {
        row["id"]: row
        for row in (await repository.events_of(session, tenant, pending) if pending else ())
        if row["event"] != "deleted" and row["seq"] < size
    }
    return await _revealed(session, tenant, [later.get(row["id"], row) for row in listed])
