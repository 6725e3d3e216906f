"""What is stored: tasks. Users and their sessions belong to the auth server."""

from datetime import datetime

from sqlalchemy import Index, MetaData, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from audits_client import outbox_table
from bedplate.conditional.idempotency import idempotency_table
from bedplate.database import NAMING_CONVENTION, UTCDateTime, identity

MAX_TITLE_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 1000
MAX_USER_ID_LENGTH = 255


class Base(DeclarativeBase):
    """Everything that this backend's migrations own."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Task(Base):
    """Something that a user wants to do. `version` grows with every change: it is the ETag."""

    __tablename__ = "tasks"

    id: Mapped[int] = identity()
    user_id: Mapped[str] = mapped_column(String(MAX_USER_ID_LENGTH))
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH))
    description: Mapped[str | None] = mapped_column(String(MAX_DESCRIPTION_LENGTH))
    completed: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(server_default=text("1"))


Index("tasks_user_id_created_at_id_idx", Task.user_id, Task.created_at.desc(), Task.id.desc())
Index(
    "tasks_user_id_completed_created_at_id_idx",
    Task.user_id,
    Task.completed,
    Task.created_at.desc(),
    Task.id.desc(),
)

idempotency_keys = idempotency_table(Base.metadata)
audit_outbox = outbox_table(Base.metadata)
