"""What the tables of several services have in common."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from bedplate.database import UTCDateTime

# SQLite numbers rows by itself only for INTEGER.
BIG_INT = BigInteger().with_variant(Integer, "sqlite")


class NumberedRow:
    """Columns of a row that stays invisible until it has its number: see `common.service`."""

    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BIG_INT, Identity(), primary_key=True)
    sequence_number: Mapped[int | None] = mapped_column(BIG_INT)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
