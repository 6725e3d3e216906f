"""Create the scripts, their headings and their elements."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import BigInt, UTCDateTime

revision = "2026_11_21_create_scripts"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scripts",
        sa.Column("id", BigInt, sa.Identity(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("sequence_number", BigInt, nullable=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("element_count", BigInt, server_default=sa.text("0"), nullable=False),
        sa.Column("copies_begun", BigInt, server_default=sa.text("0"), nullable=False),
        sa.Column("copies_stored", BigInt, server_default=sa.text("0"), nullable=False),
        sa.Column("recheck_at", UTCDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name="scripts_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("scripts_recheck_at_idx", "scripts", ["recheck_at"])
    op.create_table(
        "section_headings",
        sa.Column("id", BigInt, sa.Identity(), nullable=False),
        sa.Column("script_id", BigInt, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sequence_number", BigInt, nullable=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="section_headings_pkey"),
        sa.ForeignKeyConstraint(
            ["script_id"], ["scripts.id"], name="section_headings_script_id_fkey"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("section_headings_script_id_id_idx", "section_headings", ["script_id", "id"])
    op.create_table(
        "script_elements",
        sa.Column("id", BigInt, sa.Identity(), nullable=False),
        sa.Column("script_id", BigInt, nullable=False),
        sa.Column("position", BigInt, nullable=False),
        sa.Column("heading_id", BigInt, nullable=True),
        sa.Column("character_id", BigInt, nullable=True),
        sa.Column("action_id", BigInt, nullable=True),
        sa.Column("spoken_word_id", BigInt, nullable=True),
        sa.Column("context_id", BigInt, nullable=True),
        sa.PrimaryKeyConstraint("id", name="script_elements_pkey"),
        sa.UniqueConstraint("script_id", "position", name="script_elements_script_id_position_key"),
        sa.ForeignKeyConstraint(
            ["script_id"], ["scripts.id"], name="script_elements_script_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["heading_id"], ["section_headings.id"], name="script_elements_heading_id_fkey"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("script_elements_heading_id_idx", "script_elements", ["heading_id"])


def downgrade() -> None:
    op.drop_table("script_elements")
    op.drop_table("section_headings")
    op.drop_table("scripts")
