from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import BigInt, UTCDateTime, identity
from fountain.common.models import NumberedRow, new_metadata


class Base(DeclarativeBase):
    """Base of the tables that this backend's migrations own."""

    metadata = new_metadata()


class Script(NumberedRow, Base):
    """A script.

    Every transaction that changes the script's elements locks it through `element_count`. The last
    three columns concern the numbers of its headings: see `heading_order`.
    """

    __tablename__ = "scripts"

    title: Mapped[str] = mapped_column(Text)
    author: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    element_count: Mapped[int] = mapped_column(BigInt, server_default=text("0"))
    copies_begun: Mapped[int] = mapped_column(BigInt, server_default=text("0"))
    copies_stored: Mapped[int] = mapped_column(BigInt, server_default=text("0"))
    recheck_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SectionHeading(NumberedRow, Base):
    """A heading of a script."""

    __tablename__ = "section_headings"

    script_id: Mapped[int] = mapped_column(ForeignKey(Script.id))
    title: Mapped[str] = mapped_column(Text)


class ScriptElement(Base):
    """An element at its position in a script, from 1; other services store what it refers to."""

    __tablename__ = "script_elements"
    __table_args__ = (UniqueConstraint("script_id", "position"),)

    id: Mapped[int] = identity()
    script_id: Mapped[int] = mapped_column(ForeignKey(Script.id))
    position: Mapped[int] = mapped_column(BigInt)
    heading_id: Mapped[int | None] = mapped_column(ForeignKey(SectionHeading.id))
    character_id: Mapped[int | None] = mapped_column(BigInt)
    action_id: Mapped[int | None] = mapped_column(BigInt)
    spoken_word_id: Mapped[int | None] = mapped_column(BigInt)
    context_id: Mapped[int | None] = mapped_column(BigInt)


Index(None, SectionHeading.script_id, SectionHeading.id)
Index(None, ScriptElement.heading_id)
Index(None, Script.recheck_at)
