"""What is stored of a stream: how far it is, who sends just now, and what went wrong."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from audits.models import Base
from bedplate.database import GUID, UTCDateTime

MAX_NAME_LENGTH = 64


class AuditStream(Base):
    """A stream of one tenant's events. `position` is the sequence number of the next event."""

    __tablename__ = "audit_stream"

    name: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    error: Mapped[str | None] = mapped_column(Text)
    holder: Mapped[UUID | None] = mapped_column(GUID)
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
