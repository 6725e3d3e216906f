"""Create the sessions."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import BigInt, UTCDateTime

revision = "2026_11_21_create_sessions"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", BigInt, sa.Identity(), nullable=False),
        sa.Column("user_id", BigInt, nullable=False),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("sequence_number", BigInt, nullable=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="sessions_pkey"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("sessions")
