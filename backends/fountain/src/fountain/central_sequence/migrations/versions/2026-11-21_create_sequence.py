"""Create the counter, the elements' numbers and the versions."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import BigInt, UTCDateTime

revision = "2026_11_21_create_sequence"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    counter = op.create_table(
        "sequence_counter",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("last", BigInt, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="sequence_counter_pkey"),
    )
    op.bulk_insert(counter, [{"id": 1, "last": 0}])
    op.create_table(
        "sequence_elements",
        sa.Column("element_type", sa.Text(), nullable=False),
        sa.Column("element_id", BigInt, nullable=False, autoincrement=False),
        sa.Column("number", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("element_type", "element_id", name="sequence_elements_pkey"),
        sa.UniqueConstraint("number", name="sequence_elements_number_key"),
    )
    op.create_table(
        "sequence_versions",
        sa.Column("element_type", sa.Text(), nullable=False),
        sa.Column("element_id", BigInt, nullable=False, autoincrement=False),
        sa.Column("version", BigInt, nullable=False, autoincrement=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint(
            "element_type", "element_id", "version", name="sequence_versions_pkey"
        ),
    )


def downgrade() -> None:
    op.drop_table("sequence_versions")
    op.drop_table("sequence_elements")
    op.drop_table("sequence_counter")
