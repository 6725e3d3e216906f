"""What is stored: the number of every element, and the versions of elements."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, MetaData, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import UTCDateTime

BigInt = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Everything that this backend's migrations own."""

    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pkey"})


class Counter(Base):
    """The last number given out, in its only row. Who changes numbers locks it first."""

    __tablename__ = "sequence_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInt, server_default=text("0"))


class Element(Base):
    """An element, by its kind and its identifier within the kind, and the number it holds."""

    __tablename__ = "sequence_elements"
    __table_args__ = (UniqueConstraint("number", name="sequence_elements_number_key"),)

    element_type: Mapped[str] = mapped_column(Text, primary_key=True)
    element_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInt)


class Version(Base):
    """A further version of an element, with its data as JSON text."""

    __tablename__ = "sequence_versions"

    element_type: Mapped[str] = mapped_column(Text, primary_key=True)
    element_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
