"""What is stored of a chain beside its leaves: appends, full tiles, signed checkpoints."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from audits.models import Base
from bedplate.database import UTCDateTime

MAX_TENANT_LENGTH = 64


class LogAppend(Base):
    """One append: the hashes of the leaves that came, 32 bytes each, and when.

    Two appends can't begin at the same leaf, so a chain can't fork.
    """

    __tablename__ = "log_append"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    first_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    end_seq: Mapped[int] = mapped_column(BigInteger)
    leaves: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LogTile(Base):
    """A full tile: 256 hashes, and their root, which is a hash of the level above."""

    __tablename__ = "log_tile"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary(8192))
    root: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogCheckpoint(Base):
    """A signed checkpoint. There is one of a size; `note` is the note as it was signed."""

    __tablename__ = "log_checkpoint"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)


class LogCosignature(Base):
    """A witness's signature line of a checkpoint."""

    __tablename__ = "log_cosignature"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    witness: Mapped[str] = mapped_column(String(255), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LogPruning(Base):
    """That a chain's entries before `minimum` were removed, whose events came before a time."""

    __tablename__ = "log_pruning"

    tenant: Mapped[str] = mapped_column(String(MAX_TENANT_LENGTH), primary_key=True)
    minimum: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    before: Mapped[datetime] = mapped_column(UTCDateTime)
