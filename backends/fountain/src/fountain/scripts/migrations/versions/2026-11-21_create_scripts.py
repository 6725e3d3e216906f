"""Create the scripts, their headings and their elements."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import UTCDateTime

revision = "2026_11_21_create_scripts"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "scripts",
        sa.Column("id", _BIG, sa.Identity(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("sequence_number", _BIG, nullable=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("element_count", _BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("copies_begun", _BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("copies_stored", _BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("recheck_at", UTCDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name="scripts_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("scripts_recheck_at_idx", "scripts", ["recheck_at"])
    op.create_table(
        "section_headings",
        sa.Column("id", _BIG, sa.Identity(), nullable=False),
        sa.Column("script_id", _BIG, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sequence_number", _BIG, nullable=True),
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
        sa.Column("id", _BIG, sa.Identity(), nullable=False),
        sa.Column("script_id", _BIG, nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("heading_id", _BIG, nullable=True),
        sa.Column("character_id", _BIG, nullable=True),
        sa.Column("action_id", _BIG, nullable=True),
        sa.Column("spoken_word_id", _BIG, nullable=True),
        sa.Column("context_id", _BIG, nullable=True),
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
