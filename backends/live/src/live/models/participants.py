from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import GUID, UTCDateTime
from live.models.base import Base

MAX_NICKNAME_LENGTH = 50
# Case folding and NFKC make some texts longer: by 18 times at most, for an Arabic ligature.
MAX_FOLDED_LENGTH = 1_000


class Participant(Base):
    """One who joined. `folded` is what makes nicknames equal, `base` the same without a number.

    `join_key` is the client's `Idempotency-Key`: a join that is sent again is the same join.
    """

    __tablename__ = "live_participant"
    __table_args__ = (
        UniqueConstraint("session_id", "folded"),
        UniqueConstraint("session_id", "join_key"),
        CheckConstraint("state IN ('joined', 'kicked', 'banned')", name="state"),
        Index("live_participant_base_idx", "session_id", "base"),
        Index("live_participant_joined_at_idx", "session_id", "joined_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(GUID, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_session.id", ondelete="CASCADE")
    )
    nickname: Mapped[str] = mapped_column(String(MAX_NICKNAME_LENGTH))
    folded: Mapped[str] = mapped_column(String(MAX_FOLDED_LENGTH))
    base: Mapped[str] = mapped_column(String(MAX_FOLDED_LENGTH))
    state: Mapped[str] = mapped_column(String(16))
    join_key: Mapped[str | None] = mapped_column(String(64))
    time_factor: Mapped[float] = mapped_column(Float)
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
