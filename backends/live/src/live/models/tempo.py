from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import GUID, UTCDateTime
from live.models.base import Base


class TempoVote(Base):
    """How fast it goes for a participant, who has one vote and may change it."""

    __tablename__ = "live_tempo_vote"
    __table_args__ = (
        CheckConstraint("tempo IN ('too_slow', 'fine', 'too_fast', 'lost')", name="tempo"),
        Index("live_tempo_vote_session_id_idx", "session_id"),
    )

    participant_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_participant.id", ondelete="CASCADE"), primary_key=True
    )
    session_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_session.id", ondelete="CASCADE")
    )
    tempo: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
