"""Create sessions, participants, activities, answers, their counters, and tempo votes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from bedplate.database import GUID, UTCDateTime

revision = "2026_11_29_create_live"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "live_session",
        sa.Column("id", GUID, nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("host_id", GUID, nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("max_participants", sa.Integer(), nullable=False),
        sa.Column(
            "settings",
            _JSON,
            nullable=False,
        ),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("changed_at", UTCDateTime, nullable=False),
        sa.Column("started_at", UTCDateTime, nullable=True),
        sa.Column("first_opened_at", UTCDateTime, nullable=True),
        sa.Column("completed_at", UTCDateTime, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'active', 'completed')", name=op.f("live_session_state_check")
        ),
        sa.CheckConstraint(
            "participants BETWEEN 0 AND max_participants",
            name=op.f("live_session_participants_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("live_session_pkey")),
        sa.UniqueConstraint("code", name=op.f("live_session_code_key")),
    )
    with op.batch_alter_table("live_session", schema=None) as batch_op:
        batch_op.create_index("live_session_changed_at_idx", ["state", "changed_at"], unique=False)
        batch_op.create_index(
            "live_session_host_id_idx", ["host_id", "created_at", "id"], unique=False
        )

    op.create_table(
        "live_activity",
        sa.Column("id", GUID, nullable=False),
        sa.Column("session_id", GUID, nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("notes", sa.String(length=10000), nullable=True),
        sa.Column(
            "config",
            _JSON,
            nullable=False,
        ),
        sa.Column(
            "policy",
            _JSON,
            nullable=False,
        ),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("opened_at", UTCDateTime, nullable=True),
        sa.Column("closes_at", UTCDateTime, nullable=True),
        sa.Column("closed_at", UTCDateTime, nullable=True),
        sa.Column("closed_by", sa.String(length=16), nullable=True),
        sa.Column("revealed_at", UTCDateTime, nullable=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "closed_by IN ('host', 'timer', 'end')", name=op.f("live_activity_closed_by_check")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'open', 'closed', 'revealed')",
            name=op.f("live_activity_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["live_session.id"],
            name=op.f("live_activity_session_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("live_activity_pkey")),
    )
    with op.batch_alter_table("live_activity", schema=None) as batch_op:
        batch_op.create_index(
            "live_activity_closes_at_idx",
            ["closes_at"],
            unique=False,
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(
            "live_activity_open_idx",
            ["session_id"],
            unique=True,
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(
            "live_activity_position_idx", ["session_id", "position", "id"], unique=False
        )

    op.create_table(
        "live_participant",
        sa.Column("id", GUID, nullable=False),
        sa.Column("session_id", GUID, nullable=False),
        sa.Column("nickname", sa.String(length=50), nullable=False),
        sa.Column("folded", sa.String(length=1000), nullable=False),
        sa.Column("base", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("join_key", sa.String(length=64), nullable=True),
        sa.Column("time_factor", sa.Float(), nullable=False),
        sa.Column("joined_at", UTCDateTime, nullable=False),
        sa.Column("seen_at", UTCDateTime, nullable=False),
        sa.CheckConstraint(
            "state IN ('joined', 'kicked', 'banned')", name=op.f("live_participant_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["live_session.id"],
            name=op.f("live_participant_session_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("live_participant_pkey")),
        sa.UniqueConstraint(
            "session_id", "folded", name=op.f("live_participant_session_id_folded_key")
        ),
        sa.UniqueConstraint(
            "session_id", "join_key", name=op.f("live_participant_session_id_join_key_key")
        ),
    )
    with op.batch_alter_table("live_participant", schema=None) as batch_op:
        batch_op.create_index("live_participant_base_idx", ["session_id", "base"], unique=False)
        batch_op.create_index(
            "live_participant_joined_at_idx", ["session_id", "joined_at", "id"], unique=False
        )

    op.create_table(
        "live_token",
        sa.Column("id", GUID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("host_id", GUID, nullable=False),
        sa.Column("session_id", GUID, nullable=True),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.CheckConstraint(
            "(role = 'host') = (session_id IS NULL)", name=op.f("live_token_session_check")
        ),
        sa.CheckConstraint(
            "role IN ('host', 'cohost', 'moderator', 'screen')", name=op.f("live_token_role_check")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["live_session.id"],
            name=op.f("live_token_session_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("live_token_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("live_token_token_hash_key")),
    )
    with op.batch_alter_table("live_token", schema=None) as batch_op:
        batch_op.create_index("live_token_session_id_idx", ["session_id"], unique=False)

    op.create_table(
        "live_counter",
        sa.Column("activity_id", GUID, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=500), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["live_activity.id"],
            name=op.f("live_counter_activity_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "round", "key", name=op.f("live_counter_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "live_moderation",
        sa.Column("activity_id", GUID, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('visible', 'hidden')", name=op.f("live_moderation_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["live_activity.id"],
            name=op.f("live_moderation_activity_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "round", "key", name=op.f("live_moderation_pkey")),
    )
    op.create_table(
        "live_response",
        sa.Column("activity_id", GUID, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("participant_id", GUID, nullable=False),
        sa.Column(
            "answer",
            _JSON,
            nullable=True,
        ),
        sa.Column("answered_at", UTCDateTime, nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["live_activity.id"],
            name=op.f("live_response_activity_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["live_participant.id"],
            name=op.f("live_response_participant_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "activity_id", "round", "participant_id", name=op.f("live_response_pkey")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("live_response", schema=None) as batch_op:
        batch_op.create_index("live_response_participant_id_idx", ["participant_id"], unique=False)

    op.create_table(
        "live_round",
        sa.Column("activity_id", GUID, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opened_at", UTCDateTime, nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("stored >= 0", name=op.f("live_round_stored_check")),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["live_activity.id"],
            name=op.f("live_round_activity_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "round", name=op.f("live_round_pkey")),
    )
    op.create_table(
        "live_score",
        sa.Column("activity_id", GUID, nullable=False),
        sa.Column("participant_id", GUID, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"],
            ["live_activity.id"],
            name=op.f("live_score_activity_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["live_participant.id"],
            name=op.f("live_score_participant_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("activity_id", "participant_id", name=op.f("live_score_pkey")),
    )
    with op.batch_alter_table("live_score", schema=None) as batch_op:
        batch_op.create_index("live_score_participant_id_idx", ["participant_id"], unique=False)

    op.create_table(
        "live_tempo_vote",
        sa.Column("participant_id", GUID, nullable=False),
        sa.Column("session_id", GUID, nullable=False),
        sa.Column("tempo", sa.String(length=16), nullable=False),
        sa.Column("changed_at", UTCDateTime, nullable=False),
        sa.CheckConstraint(
            "tempo IN ('too_slow', 'fine', 'too_fast', 'lost')",
            name=op.f("live_tempo_vote_tempo_check"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["live_participant.id"],
            name=op.f("live_tempo_vote_participant_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["live_session.id"],
            name=op.f("live_tempo_vote_session_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("participant_id", name=op.f("live_tempo_vote_pkey")),
    )
    with op.batch_alter_table("live_tempo_vote", schema=None) as batch_op:
        batch_op.create_index("live_tempo_vote_session_id_idx", ["session_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("live_tempo_vote", schema=None) as batch_op:
        batch_op.drop_index("live_tempo_vote_session_id_idx")

    op.drop_table("live_tempo_vote")
    with op.batch_alter_table("live_score", schema=None) as batch_op:
        batch_op.drop_index("live_score_participant_id_idx")

    op.drop_table("live_score")
    op.drop_table("live_round")
    with op.batch_alter_table("live_response", schema=None) as batch_op:
        batch_op.drop_index("live_response_participant_id_idx")

    op.drop_table("live_response")
    op.drop_table("live_moderation")
    op.drop_table("live_counter")
    with op.batch_alter_table("live_token", schema=None) as batch_op:
        batch_op.drop_index("live_token_session_id_idx")

    op.drop_table("live_token")
    with op.batch_alter_table("live_participant", schema=None) as batch_op:
        batch_op.drop_index("live_participant_joined_at_idx")
        batch_op.drop_index("live_participant_base_idx")

    op.drop_table("live_participant")
    with op.batch_alter_table("live_activity", schema=None) as batch_op:
        batch_op.drop_index("live_activity_position_idx")
        batch_op.drop_index(
            "live_activity_open_idx",
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(
            "live_activity_closes_at_idx",
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )

    op.drop_table("live_activity")
    with op.batch_alter_table("live_session", schema=None) as batch_op:
        batch_op.drop_index("live_session_host_id_idx")
        batch_op.drop_index("live_session_changed_at_idx")

    op.drop_table("live_session")
