from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import GUID, UTCDateTime
from bedplate.database.json_containment import JSONDocument
from live.activity_type import MAX_KEY_LENGTH, MAX_LABEL_LENGTH
from live.models.base import Base


class Round(Base):
    """One round of an activity: how many answers came, how many are stored.

    `version` grows with each change of its counters; results carry it. `released` is how many
    of the answers an anonymous activity shows while it is open.
    """

    __tablename__ = "live_round"
    __table_args__ = (CheckConstraint("stored >= 0", name="stored"),)

    activity_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_activity.id", ondelete="CASCADE"), primary_key=True
    )
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received: Mapped[int] = mapped_column(BigInteger)
    stored: Mapped[int] = mapped_column(BigInteger)
    released: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)


class Response(Base):
    """A participant's answer in a round.

    `answered_at` and `seconds` are NULL for anonymous activities. For a secret ballot `answer` is
    NULL as well: the row says that somebody voted, and only the counters have the vote.
    """

    __tablename__ = "live_response"
    __table_args__ = (
        Index("live_response_participant_id_idx", "participant_id"),
        # SQLite numbers the rows of other tables, so that their order tells who came first.
        {"sqlite_with_rowid": False},
    )

    activity_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_activity.id", ondelete="CASCADE"), primary_key=True
    )
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    participant_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_participant.id", ondelete="CASCADE"), primary_key=True
    )
    answer: Mapped[Any | None] = mapped_column(JSONDocument)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seconds: Mapped[float | None]


class Counter(Base):
    """How often something was answered in a round; the result is made from these alone.

    `released` is what an anonymous activity shows of the count while it is open.
    """

    __tablename__ = "live_counter"
    __table_args__ = ({"sqlite_with_rowid": False},)

    activity_id: Mapped[UUID] = mapped_column(
        GUID, ForeignKey("live_activity.id", ondelete="CASCADE"), primary_key=True
    )
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), primary_key=True)
    label: Mapped[str] = mapped_column(String(MAX_LABEL_LENGTH))
    count: Mapped[int] = mapped_column(BigInteger)
    released: Mapped[int] = mapped_column(BigInteger)
