"""What is stored: scripts, their headings, and the elements placed in them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import UTCDateTime

# SQLite numbers rows by itself only for INTEGER.
_BIG = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Everything that this backend's migrations own."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
        }
    )


class Script(Base):
    """A script. Without a number it isn't there yet: see `numbering`.

    `element_count` is also what a transaction locks that changes the script's elements. The last
    three are about the numbers of its headings: see `order`.
    """

    __tablename__ = "scripts"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    sequence_number: Mapped[int | None] = mapped_column(_BIG)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    element_count: Mapped[int] = mapped_column(_BIG, server_default=text("0"))
    copies_begun: Mapped[int] = mapped_column(_BIG, server_default=text("0"))
    copies_stored: Mapped[int] = mapped_column(_BIG, server_default=text("0"))
    recheck_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SectionHeading(Base):
    """A heading of a script. Without a number it isn't there yet: see `numbering`."""

    __tablename__ = "section_headings"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey(Script.id))
    title: Mapped[str] = mapped_column(Text)
    sequence_number: Mapped[int | None] = mapped_column(_BIG)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ScriptElement(Base):
    """An element at its place in a script, from 1; what it refers to other services keep."""

    __tablename__ = "script_elements"
    __table_args__ = (
        UniqueConstraint("script_id", "position"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    script_id: Mapped[int] = mapped_column(ForeignKey(Script.id))
    position: Mapped[int] = mapped_column(_BIG)
    heading_id: Mapped[int | None] = mapped_column(ForeignKey(SectionHeading.id))
    character_id: Mapped[int | None] = mapped_column(_BIG)
    action_id: Mapped[int | None] = mapped_column(_BIG)
    spoken_word_id: Mapped[int | None] = mapped_column(_BIG)
    context_id: Mapped[int | None] = mapped_column(_BIG)


Index(None, SectionHeading.script_id, SectionHeading.id)
Index(None, ScriptElement.heading_id)
Index(None, Script.recheck_at)
