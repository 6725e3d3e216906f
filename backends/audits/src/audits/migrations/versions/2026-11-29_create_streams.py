"""Create what is stored of streams: how far each is."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import GUID, UTCDateTime

revision = "2026_11_29_create_streams"
down_revision = "2026_11_29_create_audits"
branch_labels = None
depends_on = None

_GRANT = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'audits_runtime') THEN
        GRANT SELECT, INSERT, UPDATE ON audit_stream TO audits_runtime;
    END IF;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_stream",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", UTCDateTime),
        sa.Column("error", sa.Text()),
        sa.Column("holder", GUID),
        sa.Column("held_until", UTCDateTime),
        sa.PrimaryKeyConstraint("name", "tenant", name="audit_stream_pkey"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_GRANT)


def downgrade() -> None:
    op.drop_table("audit_stream")
