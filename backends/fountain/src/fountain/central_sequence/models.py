from datetime import datetime

from sqlalchemy import Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import BigInt, UTCDateTime
from fountain.common.models import new_metadata


class Base(DeclarativeBase):
    """Base of the tables that this backend's migrations own."""

    metadata = new_metadata()


class Counter(Base):
    """The last number given out, in the only row. Every change of numbers locks this row first."""

    __tablename__ = "sequence_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInt, server_default=text("0"))


class Element(Base):
    """An element, identified by kind and by identifier within the kind, and its number."""

    __tablename__ = "sequence_elements"
    __table_args__ = (UniqueConstraint("number"),)

    element_type: Mapped[str] = mapped_column(Text, primary_key=True)
    element_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInt)


class Version(Base):
    """A later version of an element, with its data as JSON text."""

    __tablename__ = "sequence_versions"

    element_type: Mapped[str] = mapped_column(Text, primary_key=True)
    element_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
