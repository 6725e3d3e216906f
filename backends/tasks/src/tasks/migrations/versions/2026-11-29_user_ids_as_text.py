"""Own tasks by any id that the auth server makes, not by UUIDs alone."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from bedplate.database import GUID

revision = "2026_11_29_user_ids_as_text"
down_revision = "2026_11_29_keep_identities"
branch_labels = None
depends_on = None

_NEWEST_FIRST = [sa.text("created_at DESC"), sa.text("id DESC")]
_INDEXES: dict[str, list[str | sa.TextClause]] = {
    "tasks_user_id_created_at_id_idx": ["user_id", *_NEWEST_FIRST],
    "tasks_user_id_completed_created_at_id_idx": ["user_id", "completed", *_NEWEST_FIRST],
}


def upgrade() -> None:
    _change_type(GUID(), sa.String(255), using="user_id::text")


def downgrade() -> None:
    """Return to UUIDs. On PostgreSQL this fails, and changes nothing, where an id isn't one."""
    _change_type(sa.String(255), GUID(), using="user_id::uuid")


def _change_type(before: Any, after: Any, *, using: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "tasks", "user_id", existing_type=before, type_=after, postgresql_using=using
        )
        return
    # A rebuild would lose the order of the indexes, and that identities never come back.
    for name in _INDEXES:
        op.drop_index(name, "tasks")
    options = {"sqlite_autoincrement": True}
    with op.batch_alter_table("tasks", recreate="always", table_kwargs=options) as batch:
        batch.alter_column("user_id", existing_type=before, type_=after, existing_nullable=False)
    for name, columns in _INDEXES.items():
        op.create_index(name, "tasks", columns)
