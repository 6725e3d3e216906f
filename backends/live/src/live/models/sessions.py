from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import GUID, UTCDateTime
from bedplate.database.json_containment import JSONDocument
from live.models.base import Base

MAX_TITLE_LENGTH = 255
MAX_DESCRIPTION_LENGTH = 2_000
MAX_PARTICIPANTS = 10_000
MAX_LABEL_LENGTH = 100
CODE_LENGTH = 7


class Session(Base):
    """A session. `version` grows with each change that anybody in it may see.

    `participants` counts those who are in it, so that a place is taken in the same transaction.
    """

    __tablename__ = "live_session"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'active', 'completed')", name="state"),
        CheckConstraint("participants BETWEEN 0 AND max_participants", name="participants"),
        Index("live_session_host_id_idx", "host_id", "created_at", "id"),
        Index("live_session_changed_at_idx", "state", "changed_at"),
    )

    id: Mapped[UUID] = mapped_column(GUID, primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    host_id: Mapped[UUID] = mapped_column(GUID)
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH))
    description: Mapped[str | None] = mapped_column(String(MAX_DESCRIPTION_LENGTH))
    max_participants: Mapped[int]
    settings: Mapped[Any] = mapped_column(JSONDocument)
    state: Mapped[str] = mapped_column(String(16))
    participants: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(BigInteger)


class Token(Base):
    """A host's token, which opens all of that host's sessions, or a link into one of them.

    Only the hash is stored. The roles are host, cohost, moderator and screen.
    """

    __tablename__ = "live_token"
    __table_args__ = (
        CheckConstraint("role IN ('host', 'cohost', 'moderator', 'screen')", name="role"),
        CheckConstraint("(role = 'host') = (session_id IS NULL)", name="session"),
        Index("live_token_session_id_idx", "session_id"),
    )

    id: Mapped[UUID] = mapped_column(GUID, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    host_id: Mapped[UUID] = mapped_column(GUID)
    session_id: Mapped[UUID | None] = mapped_column(
        GUID, ForeignKey("live_session.id", ondelete="CASCADE")
    )
    label: Mapped[str] = mapped_column(String(MAX_LABEL_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
