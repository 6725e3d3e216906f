from sqlalchemy import Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import BigInt
from fountain.common.models import NumberedRow, new_metadata


class Base(DeclarativeBase):
    """Base of the tables that this backend's migrations own."""

    metadata = new_metadata()


class Session(NumberedRow, Base):
    """A working session of a user, with its context."""

    __tablename__ = "sessions"

    user_id: Mapped[int] = mapped_column(BigInt)
    context: Mapped[str | None] = mapped_column(Text)
