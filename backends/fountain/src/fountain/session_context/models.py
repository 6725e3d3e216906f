"""What is stored: sessions, each with its context."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import UTCDateTime

# SQLite numbers rows by itself only for INTEGER.
_BIG = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Everything that this backend's migrations own."""

    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pkey"})


class Session(Base):
    """A working session of a user. Without a number it isn't there yet: see `numbering`."""

    __tablename__ = "sessions"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(_BIG)
    context: Mapped[str | None] = mapped_column(Text)
    sequence_number: Mapped[int | None] = mapped_column(_BIG)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
