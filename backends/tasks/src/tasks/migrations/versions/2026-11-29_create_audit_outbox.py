"""Create the outbox of events for an audit trail."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import GUID, UTCDateTime
from bedplate.database.json_containment import JSONDocument

revision = "2026_11_29_create_audit_outbox"
down_revision = "2026_11_21_create_tasks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_outbox",
        sa.Column("id", GUID, nullable=False),
        sa.Column("event", JSONDocument, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("batch", GUID),
        sa.Column("refused", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="audit_outbox_pkey"),
    )
    op.create_index("audit_outbox_batch_idx", "audit_outbox", ["batch", "id"])


def downgrade() -> None:
    op.drop_table("audit_outbox")
