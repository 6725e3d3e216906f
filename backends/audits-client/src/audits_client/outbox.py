"""An outbox: events are stored with the change that they report, and sent afterwards.

The event is in the caller's transaction: a change that is rolled back leaves no event, and a
committed one loses none, whatever is killed when. The shipper sends events in their order, again
and again until the trail has them; its `Idempotency-Key` makes that once.
"""

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from typing import Any, Final, Self
from uuid import UUID

import orjson
import structlog
from sqlalchemy import (
    Column,
    Index,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from structlog.contextvars import get_contextvars

from audits_client.client import AuditsClient, AuditsRefused, AuditsUnavailable, Event
from bedplate import clock, ids
from bedplate.database import GUID, AnyOf, Database, Row, Statement, UTCDateTime, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.json_containment import JSONDocument
from bedplate.jobs.background import Jobs, poll

MAX_BATCH: Final = 500
_log = structlog.get_logger("audits_client")


def outbox_table(metadata: MetaData, name: str = "audit_outbox") -> Table:
    """Declare the table of events that wait, in a service's own metadata, for its migrations."""
    table = Table(
        name,
        metadata,
        Column("id", GUID, primary_key=True),
        Column("event", JSONDocument, nullable=False),
        Column("created_at", UTCDateTime, nullable=False),
        Column("batch", GUID),
        Column("refused", Text),
    )
    Index(f"{name}_batch_idx", table.c.batch, table.c.id)
    return table


class _Statements:
    def __init__(self, table: Table) -> None:
        waiting = table.c.refused.is_(None)
        columns = (table.c.id, table.c.event, table.c.batch)
        self.add = BulkInsert(table, ["id", "event", "created_at"])
        self.oldest = Statement(
            select(*columns).where(waiting).order_by(table.c.id).limit(MAX_BATCH)
        )
        self.of_batch = Statement(
            select(*columns).where(waiting, table.c.batch == bindparam("of")).order_by(table.c.id)
        )
        self.assign = Statement(
            update(table).where(AnyOf(table.c.id, "ids")).values(batch=bindparam("new_batch"))
        )
        self.remove = Statement(delete(table).where(AnyOf(table.c.id, "ids")))
        self.refuse = Statement(
            update(table).where(table.c.id == bindparam("which")).values(refused=bindparam("why"))
        )
        self.count = Statement(select(func.count().label("count")).where(waiting))


class Outbox:
    """Stores events in the caller's transaction. Fails closed: no event, no change.

    `on_failure` is called for each event that couldn't be stored, for a metric.
    """

    def __init__(self, table: Table, *, on_failure: Callable[[], object] = lambda: None) -> None:
        self._statements = _Statements(table)
        self._on_failure = on_failure

    async def record(self, session: WriteSession, event: Event) -> None:
        """Store an event with the change that the session's transaction makes.

        What it doesn't say itself is added: `occurred_at` is now, and `correlation_id` is the id
        of the request. UUIDs and times are written as text. Raises `AuditsUnavailable`, a 503, when
        it can't be stored: let it pass, and the change is rolled back. Raises `AuditsRefused` for
        what can't be JSON.
        """
        await self.record_many(session, [event])

    async def record_many(self, session: WriteSession, events: Sequence[Event]) -> None:
        """Store events as `record` does, in one round trip."""
        now = clock.now()
        common = {"occurred_at": now.isoformat()}
        if request_id := get_contextvars().get("request_id"):
            common["correlation_id"] = request_id
        event_ids = sorted((ids.uuid7(now) for _ in events), key=int)
        try:
            whole = orjson.loads(orjson.dumps([{**common, **event} for event in events]))
        except TypeError as error:
            self._failed(error)
            raise AuditsRefused(f"The event can't be sent as JSON: {error}") from None
        rows = [
            {"id": event_id, "event": event, "created_at": now}
            for event_id, event in zip(event_ids, whole, strict=True)
        ]
        try:
            await session.insert(self._statements.add, rows)
        except Exception as error:
            self._failed(error)
            raise AuditsUnavailable(retry_after=2) from error

    def record_later(
        self, session: WriteSession, event: Event, database: Database, jobs: Jobs
    ) -> None:
        """Store an event when the change is committed, if that is possible: fails open.

        The change stays whatever becomes of the event; one that couldn't be stored is logged.
        """

        async def store() -> None:
            try:
                async with database.write() as own:
                    await self.record(own, event)
            except (AuditsUnavailable, AuditsRefused):
                return  # it was logged and counted

        session.after_commit(lambda: jobs.start(store(), name="audit_outbox"))

    def _failed(self, error: Exception) -> None:
        _log.error("audit_event_not_stored", error=type(error).__name__)
        self._on_failure()


class Shipper:
    """Sends what waits in an outbox to the trail, oldest first, while its context is open."""

    def __init__(self, database: Database, table: Table, client: AuditsClient) -> None:
        self._database = database
        self._statements = _Statements(table)
        self._lock = f"audits_client.{table.name}"
        self._client = client
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        # It works for many requests: no single one's request id goes into its log.
        context = contextvars.Context()
        self._running = asyncio.create_task(self.run(), name="audit_shipper", context=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def run(self) -> None:
        """Send until cancelled; while the trail is away, ask it once a minute at least."""
        await poll(self.ship, self._unsent)

    async def _unsent(self, error: Exception, pause: float) -> None:
        if not isinstance(error, AuditsUnavailable):
            _log.error("audit_outbox_failed", exc_info=error)
            return
        cause = error.__cause__
        reason = str(cause) if isinstance(cause, AuditsRefused) else type(cause).__name__
        _log.warning("audit_trail_unavailable", retry_seconds=pause, reason=reason)

    async def waiting(self) -> int:
        """Return how many events wait."""
        row = await self._database.read().one_or_none(self._statements.count)
        count: int = row["count"] if row else 0
        return count

    async def ship(self) -> int:
        """Send the oldest events that wait, 500 at most; return how many are settled.

        Raises `AuditsUnavailable` when the trail can't take them now: they wait on.
        """
        batch, rows = await self._claim()
        if not rows:
            return 0
        try:
            await self._client.record_many([row["event"] for row in rows], key=f"outbox-{batch}")
        except AuditsRefused as error:
            await self._refused(rows, error)
        else:
            await self._change(self._statements.remove, ids=[row["id"] for row in rows])
        return len(rows)

    async def _claim(self) -> tuple[UUID | None, list[Row]]:
        """Return the oldest batch. One that was sent before stays as it is: its key stands for it.

        Two processes may claim the same batch, and send it twice: the trail records it once.
        """
        async with self._database.write() as session:
            await session.lock(self._lock)
            oldest = await session.all(self._statements.oldest)
            if not oldest:
                return None, []
            batch: UUID | None = oldest[0]["batch"]
            if batch is not None:
                return batch, await session.all(self._statements.of_batch, of=batch)
            rows = []
            for row in oldest:
                if row["batch"] is not None:
                    break
                rows.append(row)
            batch = ids.uuid()
            claimed = [row["id"] for row in rows]
            await session.all(self._statements.assign, ids=claimed, new_batch=batch)
            return batch, rows

    async def _refused(self, rows: Sequence[Row], error: AuditsRefused) -> None:
        """Find the event that the trail won't take: each of the batch is sent by itself next."""
        if len(rows) == 1:
            _log.error("audit_event_refused", event_id=str(rows[0]["id"]), reason=str(error))
            await self._change(self._statements.refuse, which=rows[0]["id"], why=str(error))
            return
        async with self._database.write() as session:
            for row in rows:
                await session.all(self._statements.assign, ids=[row["id"]], new_batch=ids.uuid())

    async def _change(self, statement: Statement, **parameters: Any) -> None:
        async with self._database.write() as session:
            await session.all(statement, **parameters)
