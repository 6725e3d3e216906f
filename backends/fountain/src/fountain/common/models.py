"""What the tables of several services have in common."""

from datetime import datetime

from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import NAMING_CONVENTION, BigInt, UTCDateTime, identity


def new_metadata() -> MetaData:
    """Return the metadata of one service, which names constraints as PostgreSQL does."""
    return MetaData(naming_convention=NAMING_CONVENTION)


class NumberedRow:
    """Columns of a row that stays invisible until it has its number: see `common.service`."""

    id: Mapped[int] = identity()
    sequence_number: Mapped[int | None] = mapped_column(BigInt)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
