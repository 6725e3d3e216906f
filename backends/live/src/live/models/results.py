from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import GUID
from live.activity_type import MAX_KEY_LENGTH
from live.models.base import Base


class Moderation(Base):
    """What a moderator decided about participants' words: those of one counter."""

    __tablename__ = "live_moderation"
    __table_args__ = (CheckConstraint("state IN ('visible', 'hidden')", name="state"),)

    activity_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_activity.id", ondelete="CASCADE"), primary_key=True
    )
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    pinned: Mapped[bool]
    answered: Mapped[bool]


class Score(Base):
    """A participant's points in an activity: written when it is revealed, gone when it is reset.

    `seconds` is how long a correct answer took, else 0; `streak` counts correct answers in a row up
    to this one.
    """

    __tablename__ = "live_score"
    __table_args__ = (Index("live_score_participant_id_idx", "participant_id"),)

    activity_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_activity.id", ondelete="CASCADE"), primary_key=True
    )
    participant_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_participant.id", ondelete="CASCADE"), primary_key=True
    )
    points: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float)
    streak: Mapped[int]
