from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import GUID, UTCDateTime
from bedplate.database.json_containment import JSONDocument
from live.models.base import Base

MAX_TITLE_LENGTH = 500
MAX_NOTES_LENGTH = 10_000
_IS_OPEN = text("state = 'open'")


class Activity(Base):
    """An activity and the state of its current round.

    `policy` holds who sees the results when, and how answers are kept: see `schemas.Policy`.
    """

    __tablename__ = "live_activity"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'open', 'closed', 'revealed')", name="state"),
        CheckConstraint("closed_by IN ('host', 'timer', 'end')", name="closed_by"),
        Index(
            "live_activity_open_idx",
            "session_id",
            unique=True,
            postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN,
        ),
        Index(
            "live_activity_closes_at_idx",
            "closes_at",
            postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN,
        ),
        Index("live_activity_position_idx", "session_id", "position", "id"),
    )

    id: Mapped[UUID] = mapped_column(GUID, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_session.id", ondelete="CASCADE")
    )
    type: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH))
    notes: Mapped[str | None] = mapped_column(String(MAX_NOTES_LENGTH))
    config: Mapped[Any] = mapped_column(JSONDocument)
    policy: Mapped[Any] = mapped_column(JSONDocument)
    seconds: Mapped[int | None]
    position: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    round: Mapped[int]
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[str | None] = mapped_column(String(16))
    revealed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(BigInteger)
