"""Streams: the events of a chain, sent to another system in their order, at least once each.

A stream's position is stored after the destination took a batch, so that whatever is killed when,
nothing is left out; a batch that was taken just before may come a second time. Of several
processes one sends: it holds the stream for a minute at a time.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, Literal, Protocol, Self

import structlog

from audits.log import repository as log
from audits.records import service as records
from audits.records.items import to_item, to_json
from audits.records.ocsf import to_ocsf
from audits.settings import StreamConfig
from audits.streams import repository
from audits.streams.schemas import StreamState
from bedplate import clock, ids
from bedplate.database import Database, DatabaseUnavailable, Row
from bedplate.jobs.background import poll

MAX_BATCH: Final = 500
_HOLD: Final = timedelta(seconds=60)
_DELIVERY_SECONDS: Final = 30.0
_log = structlog.get_logger("audits.streams")

Format = Literal["events", "ocsf"]


class DeliveryFailed(Exception):
    """The destination didn't take a batch; the text says why, without secrets."""


@dataclass(frozen=True)
class Batch:
    """Consecutive events of a chain, those from `first` to before `end`.

    Fewer than these numbers say where events were pruned.
    """

    tenant: str
    first: int
    end: int
    events: Sequence[Row]
    lines: Sequence[bytes]
    """The events as JSON, in the stream's format."""


class Destination(Protocol):
    """Where a stream leads to."""

    linger: timedelta
    """How long events may wait for more of them, so that a batch isn't small."""

    async def deliver(self, batch: Batch) -> None:
        """Return when the batch has arrived. Raises `DeliveryFailed`."""
        ...


class Stream:
    """One stream, and how far it was when this process last looked."""

    def __init__(self, config: StreamConfig, destination: Destination) -> None:
        self.config = config
        self.destination = destination
        self.position = 0
        self.size = 0


class Streams:
    """The streams of this process; a context manager that sends while it is open."""

    def __init__(self, database: Database, streams: Sequence[Stream]) -> None:
        self._database = database
        self._streams = streams
        self._me = ids.uuid()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._tasks = {
            asyncio.create_task(
                poll(partial(self.send_next, stream), partial(self._failed, stream)),
                name=f"audits_stream_{stream.config.name}",
            )
            for stream in self._streams
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for stream in self._streams:
            name, tenant = stream.config.name, stream.config.tenant
            with contextlib.suppress(DatabaseUnavailable):
                async with self._database.autocommit() as session:
                    await repository.release(session, name, tenant, me=self._me)

    def lag(self) -> dict[str, float]:
        """Return how many events each stream still has to send, as far as is known here."""
        return {each.config.name: max(0, each.size - each.position) for each in self._streams}

    async def states(self) -> list[StreamState]:
        """Return how far each stream is."""
        session = self._database.read()
        found = []
        for stream in self._streams:
            config = stream.config
            row = await repository.get(session, config.name, config.tenant)
            size = (await log.head(session, config.tenant)).size
            position = row["position"] if row else 0
            found.append(
                StreamState(
                    name=config.name,
                    tenant=config.tenant,
                    format=config.format,
                    destination=config.destination,
                    position=position,
                    lag=max(0, size - position),
                    sent_at=row["sent_at"] if row else None,
                    error=row["error"] if row else None,
                )
            )
        return found

    async def send_next(self, stream: Stream) -> bool:
        """Send the next events of a stream, 500 at most; return whether there were any.

        Raises `DeliveryFailed`, `DatabaseUnavailable`.
        """
        config, now = stream.config, clock.now()
        reading = self._database.read()
        row = await repository.get(reading, config.name, config.tenant)
        stream.size = (await log.head(reading, config.tenant)).size
        if row is None:
            async with self._database.autocommit() as session:
                await repository.add(session, config.name, config.tenant)
            return stream.size > 0
        stream.position = row["position"]
        if not self._is_due(stream, row):
            return False
        async with self._database.autocommit() as session:
            first = await repository.claim(
                session, config.name, config.tenant, me=self._me, now=now, until=now + _HOLD
            )
        if first is None or first >= stream.size:
            return False
        end = min(stream.size, first + MAX_BATCH)
        await self._deliver(stream, first, end)
        async with self._database.autocommit() as session:
            await repository.advance(
                session, config.name, config.tenant, me=self._me, end=end, now=clock.now()
            )
        stream.position = end
        return True

    async def _deliver(self, stream: Stream, first: int, end: int) -> None:
        config = stream.config
        events = await records.between(self._database.read(), config.tenant, first, end)
        if (pruned := end - first - len(events)) > 0:
            _log.warning(
                "stream_events_pruned", stream=config.name, first=first, end=end, pruned=pruned
            )
        if not events:
            return
        lines = [to_json(_item(event, config.format)) for event in events]
        try:
            async with asyncio.timeout(_DELIVERY_SECONDS):
                await stream.destination.deliver(Batch(config.tenant, first, end, events, lines))
        except TimeoutError:
            raise DeliveryFailed(f"No answer within {_DELIVERY_SECONDS:.0f} s.") from None

    def _is_due(self, stream: Stream, row: Row) -> bool:
        waiting = stream.size - stream.position
        if waiting <= 0 or waiting >= MAX_BATCH or row["sent_at"] is None:
            return waiting > 0
        due: bool = clock.now() - row["sent_at"] >= stream.destination.linger
        return due

    async def _failed(self, stream: Stream, error: Exception, pause: float) -> None:
        if isinstance(error, DatabaseUnavailable):
            return  # the log has it already
        config = stream.config
        expected = isinstance(error, DeliveryFailed)
        reason = str(error) if expected else type(error).__name__
        _log.warning(
            "stream_failed",
            stream=config.name,
            reason=reason,
            position=stream.position,
            retry_seconds=pause,
            exc_info=None if expected else error,
        )
        with contextlib.suppress(DatabaseUnavailable):
            async with self._database.autocommit() as session:
                await repository.fail(
                    session, config.name, config.tenant, me=self._me, reason=reason
                )


def _item(event: Row, kind: Format) -> dict[str, object]:
    return to_ocsf(event) if kind == "ocsf" else {"event": event["event"], **to_item(event)}
