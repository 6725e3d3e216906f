"""Never give an identity twice, on SQLite too."""

from alembic import op

from bedplate.database import forbid_reuse

revision = "2026_11_29_keep_identities"
down_revision = "2026_11_29_create_audit_outbox"
branch_labels = None
depends_on = None


def upgrade() -> None:
    forbid_reuse(op, "tasks")


def downgrade() -> None:
    """Leave the tables: an identity that never comes back harms no older version."""
