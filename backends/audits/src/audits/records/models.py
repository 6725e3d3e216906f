"""What is stored: the events of records, which are never changed, and what finds them.

`audit` holds an event a row: the log's leaves are its rows in the order of `seq`. The last event of
an `id` says what the record is now. The other tables only help to find rows: they can be made
again from `audit`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from audits.models import Base
from bedplate.database import GUID, UTCDateTime
from bedplate.database.json_containment import JSONDocument

MAX_TENANT_LENGTH = 64
MAX_ACTION_LENGTH = 100
MAX_ENTITY_TYPE_LENGTH = 100
MAX_ENTITY_REF_LENGTH = 255
MAX_USER_AGENT_LENGTH = 500
MAX_CORRELATION_ID_LENGTH = 128
MAX_KEY_LENGTH = 255
MAX_MEMBER_LENGTH = 128


_LISTED_BY = ("user_id", "entity_type", "entity_id", "entity_ref", "action_type", "action",
              "correlation_id")  # fmt: skip
_NEVER_NULL = {"entity_type", "action_type"}


def _partial(name: str, where: str, *columns: str) -> Index:
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(where))


def _of_created(column: str) -> Index:
    """Return the index of a list, in its order, over the first events of records alone."""
    given = "" if column in _NEVER_NULL else f" AND {column} IS NOT NULL"
    where = f"event = 'created'{given}"
    return _partial(f"audit_{column}_idx", where, "tenant", column, "created_at", "id")


class Audit(Base):
    """One event of one record: created, completed or deleted, with all that holds from then on.

    `created_at` is the record's, `recorded_at` the event's; the latter never falls within a chain.
    On PostgreSQL the table has a partition for each month of `recorded_at`.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_id_idx", "id", "version"),
        Index("audit_status_idx", "tenant", "status", "created_at", "id"),
        _partial("audit_created_at_idx", "event = 'created'", "tenant", "created_at", "id"),
        *map(_of_created, _LISTED_BY),
        _partial("audit_completed_idx", "event = 'completed'", "tenant", "created_at", "id"),
        _partial("audit_deleted_idx", "event = 'deleted'", "tenant", "id"),
        # SQLite has no index for parts of a document: there it is empty.
        Index("audit_details_idx", "details", postgresql_using="gin", sqlite_where=text("0"),
              postgresql_ops={"details": "jsonb_path_ops"}),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )  # fmt: skip

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    event: Mapped[str] = mapped_column(String(16))
    id: Mapped[UUID] = mapped_column(GUID)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    occurred_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    action_type: Mapped[str] = mapped_column(String(16))
    action: Mapped[str | None] = mapped_column(String(MAX_ACTION_LENGTH))
    entity_type: Mapped[str] = mapped_column(String(MAX_ENTITY_TYPE_LENGTH))
    entity_id: Mapped[UUID | None] = mapped_column(GUID)
    entity_ref: Mapped[str | None] = mapped_column(String(MAX_ENTITY_REF_LENGTH))
    user_id: Mapped[UUID | None] = mapped_column(GUID)
    actor: Mapped[Any | None] = mapped_column(JSONDocument)
    targets: Mapped[Any | None] = mapped_column(JSONDocument)
    details: Mapped[Any] = mapped_column(JSONDocument)
    status: Mapped[str] = mapped_column(String(16))
    ip_address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(MAX_USER_AGENT_LENGTH))
    correlation_id: Mapped[str | None] = mapped_column(String(MAX_CORRELATION_ID_LENGTH))
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    commitments: Mapped[Any | None] = mapped_column(JSONDocument)


class AuditPrivate(Base):
    """A member that the log holds as a commitment: the value, which alone can be erased.

    `member` is its path in the record, such as `details.email`; `value` is JSON.
    """

    __tablename__ = "audit_private"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    member: Mapped[str] = mapped_column(String(MAX_MEMBER_LENGTH), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    value: Mapped[Any] = mapped_column(JSONDocument)


class AuditPending(Base):
    """A record whose status is still pending: an index that inserts alone can't keep."""

    __tablename__ = "audit_pending"
    __table_args__ = (Index("audit_pending_created_at_idx", "tenant", "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(GUID, primary_key=True)
    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AuditKey(Base):
    """An `Idempotency-Key`, and the events that were stored for it."""

    __tablename__ = "audit_key"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    first_seq: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
