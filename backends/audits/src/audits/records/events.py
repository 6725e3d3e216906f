"""What a request does to a chain: records are created, completed and deleted, each as an event."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from audits.log.chain import Growth
from audits.records.exceptions import DetailsTooLarge, KeyReused, RecordNotFound, StatusIsFinal
from audits.records.privacy import hide, salted_entry
from audits.records.schemas import MAX_DETAILS_BYTES
from audits.transparency.canonical import canonical
from bedplate.database import Row
from bedplate.problems import PreconditionFailed


@dataclass
class Batch:
    """What a transaction adds to a chain: events, and what goes with them."""

    growth: Growth
    sensitive: Sequence[str]
    records: dict[UUID, list[Row]]
    """The events of the records that the members change, the batch's own included."""
    keys: dict[tuple[str, str], Row]
    """What the members' idempotency keys stand for, those of the batch included."""
    events: list[Row] = field(default_factory=list)
    private: list[Row] = field(default_factory=list)
    new_keys: list[Row] = field(default_factory=list)
    no_longer_pending: list[UUID] = field(default_factory=list)

    def add(self, event: str, record: Row) -> Row:
        """Add an event as the chain's next leaf, and return it."""
        added = {
            "created_at": self.growth.recorded_at,
            "commitments": None,
            **record,
            "event": event,
            "tenant": self.growth.tenant,
            "seq": self.growth.next_seq,
            "recorded_at": self.growth.recorded_at,
        }
        stored, private = hide(added, self.sensitive)
        self.growth.append(salted_entry(stored))
        self.events.append(stored)
        self.private += private
        added |= {"leaf_hash": self.growth.leaves[-1], "private": private, "salt": stored["salt"]}
        self.records.setdefault(added["id"], []).append(added)
        return added


class Change(Protocol):
    """What one request does to a chain."""

    @property
    def record_ids(self) -> Sequence[UUID]:
        """The records that it changes."""
        ...

    @property
    def idempotency_key(self) -> str | None:
        """The key of its request."""
        ...

    def apply(self, batch: Batch) -> list[Row] | range:
        """Add its events and return them; a repeated request returns its sequence numbers.

        Raises a `ProblemError` before anything is added.
        """
        ...


@dataclass(frozen=True)
class Create:
    """Records to create; a request with the same key and content is answered as the first was."""

    records: Sequence[Row]
    owner: str = ""
    idempotency_key: str | None = None
    fingerprint: bytes = b""
    record_ids: Sequence[UUID] = ()

    def apply(self, batch: Batch) -> list[Row] | range:
        """Add the records' first events."""
        key = (self.owner, self.idempotency_key or "")
        if self.idempotency_key is not None:
            if (known := batch.keys.get(key)) is not None:
                if known["fingerprint"] != self.fingerprint:
                    raise KeyReused
                return range(known["first_seq"], known["first_seq"] + known["size"])
            stands_for = {
                "tenant": batch.growth.tenant,
                "owner": self.owner,
                "key": self.idempotency_key,
                "fingerprint": self.fingerprint,
                "first_seq": batch.growth.next_seq,
                "size": len(self.records),
                "recorded_at": batch.growth.recorded_at,
            }
            batch.keys[key] = stands_for
            batch.new_keys.append(stands_for)
        return [batch.add("created", record) for record in self.records]


@dataclass(frozen=True)
class _OfOne:
    record_id: UUID
    versions: Sequence[int] | None
    """The versions that the client accepts; None for any."""
    idempotency_key: None = None

    @property
    def record_ids(self) -> Sequence[UUID]:
        return [self.record_id]

    def _current(self, batch: Batch) -> Row:
        events = batch.records.get(self.record_id)
        if not events or events[-1]["event"] == "deleted":
            raise RecordNotFound
        if self.versions is not None and events[-1]["version"] not in self.versions:
            raise PreconditionFailed
        return {**events[-1], "version": events[-1]["version"] + 1}


@dataclass(frozen=True)
class Complete(_OfOne):
    """A pending record's end: its status, and details that are merged with those before."""

    status: str = "success"
    details: dict[str, Any] = field(default_factory=dict)

    def apply(self, batch: Batch) -> list[Row]:
        """Add the event."""
        record = self._current(batch)
        if record["status"] != "pending":
            raise StatusIsFinal
        record["details"] = {**record["details"], **self.details}
        if len(canonical(record["details"])) > MAX_DETAILS_BYTES:
            raise DetailsTooLarge
        record["status"] = self.status
        batch.no_longer_pending.append(self.record_id)
        return [batch.add("completed", record)]


@dataclass(frozen=True)
class Delete(_OfOne):
    """A record's tombstone."""

    def apply(self, batch: Batch) -> list[Row]:
        """Add the event."""
        record = self._current(batch)
        if record["status"] == "pending":
            batch.no_longer_pending.append(self.record_id)
        return [batch.add("deleted", record)]
